import { expect, it } from 'vitest';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { RetryLater } from '../lib/errors.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import type { CronLedger } from './cron-ledger.ts';
import { LedgerStore } from './ledger.ts';

const at = { namespace: 'default', name: 'report' };
const call = { timeoutMs: 1000 };
const ledger = (mark: number): CronLedger => ({ mark, activation: { clusterId: 'east', at: 0 }, claims: [] });

function open() {
  const store = new MemoryStore(new FakeClock());
  return { store, ledgers: new LedgerStore(store, 'default') };
}

it('of two that rewrite what they have read exactly one does', async () => {
  const { ledgers } = open();
  const entry = await ledgers.read(at, call);
  expect(entry.ledger).toBeUndefined();
  await ledgers.write(at, { entry, ledger: ledger(1) }, call);
  await expect(ledgers.write(at, { entry, ledger: ledger(2) }, call)).rejects.toBeInstanceOf(RetryLater);
  expect((await ledgers.read(at, call)).ledger?.mark).toBe(1);
});

it('a write that another incarnation of the store answers does not count', async () => {
  const { store, ledgers } = open();
  const entry = await ledgers.read(at, call);
  store.incarnation = 'second';
  await expect(ledgers.write(at, { entry, ledger: ledger(1) }, call)).rejects.toBeInstanceOf(RetryLater);
});

it('tenants and namespaces have ledgers of their own', async () => {
  const { store, ledgers } = open();
  await ledgers.write(at, { entry: await ledgers.read(at, call), ledger: ledger(1) }, call);
  for (const [tenant, namespace] of [
    ['other', 'default'],
    ['default', 'other'],
  ] as const) {
    const found = await new LedgerStore(store, tenant).read({ ...at, namespace }, call);
    expect(found.ledger).toBeUndefined();
  }
});
