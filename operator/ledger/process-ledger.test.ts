/** What a process has behind it, as whoever shares the store may have written it. */
import { expect, it } from 'vitest';
import { cellKeys } from '../lease/cell-store.ts';
import { MemoryStore } from '../lease/testing/memory-store.ts';
import { FakeClock } from '../lib/testing/fake-clock.ts';
import { ProcessLedger } from './process-ledger.ts';

const at = { namespace: 'default', name: 'job' };
const call = { timeoutMs: 1000 };
const past = { spec: 'abc', restarts: 3, completed: false };

it.each([
  '',
  '[]',
  'null',
  '{}',
  '{"spec":"abc","restarts":-1,"completed":false}',
  '{"spec":"abc","restarts":1.5,"completed":false}',
  '{"spec":"abc","restarts":9007199254740991,"completed":false}',
  '{"spec":"abc","restarts":1e300,"completed":false}',
  '{"spec":"abc","restarts":3,"completed":"no"}',
  `{"spec":"${'x'.repeat(600)}","restarts":3,"completed":false}`,
])('does not take %j for the past of a process, and says where it is', async (text) => {
  const store = new MemoryStore(new FakeClock());
  const key = cellKeys.past('default', at.namespace, at.name);
  await store.write(key, text, undefined, call);
  await expect(new ProcessLedger(store, 'default').read(at, call)).rejects.toThrow(`key ${key}: expected the history`);
});

it('reads what was written, and writes nothing that could not be read', async () => {
  const ledger = new ProcessLedger(new MemoryStore(new FakeClock()), 'default');
  await ledger.write(at, past, call);
  expect(await ledger.read(at, call)).toEqual(past);
  await expect(ledger.write(at, { ...past, restarts: Number.NaN }, call)).rejects.toThrow('restarts');
  expect(await ledger.read(at, call)).toEqual(past);
});
