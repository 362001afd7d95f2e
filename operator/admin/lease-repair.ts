/** A tenant's lease, shown and repaired from the command line, whatever store it is in. */
import type { Config } from '../config/config.ts';
import { STOP_MARGIN_MS } from '../leadership/permit.ts';
import { encodeRecord, type LeaseRecord } from '../leadership/lease-record.ts';
import { readPeers, type Peer } from '../leadership/presence.ts';
import type { Advice, Finding } from '../leadership/repair.ts';
import { examine, repaired, RepairRefused } from '../leadership/repair.ts';
import { cellKeys, type CellStore } from '../lease/cell-store.ts';
import { livingPeers } from './living-peers.ts';

/** For each call to the store. */
const CALL = { timeoutMs: 10_000 };

/** A tenant's lease as it is in the store, and what is to be said of it. */
export interface LeaseView {
  /** Of the store. */
  readonly kind: string;
  readonly key: string;
  /** As it stands there. Absent: there is no cell. */
  readonly text: string | undefined;
  readonly finding: Finding;
  readonly peers: readonly Peer[];
}

/** The lease, and what repairs it. */
export interface Repair extends LeaseView {
  /** What was written, or would be. Absent: there is nothing to repair. */
  readonly record?: LeaseRecord;
}

/** Reads the lease. Rejects with `StoreError`. */
export async function showLease(store: CellStore, config: Config): Promise<LeaseView> {
  return (await lookAt(store, config)).view;
}

/**
 * Resolves to what there was, and what is in its place where `before`, called ahead of the write, says so. Throws
 * `RepairRefused` when it needs advice or controllers go on from the lease as it is; and when somebody else writes it meanwhile.
 */
export async function repairLease(
  store: CellStore,
  config: Config,
  advice: Advice,
  before: (repair: Repair) => boolean,
): Promise<Repair> {
  const { view, reply } = await lookAt(store, config);
  const { cell, storeTimeMs } = reply;
  if (!cell || view.finding.is !== 'broken') return view;
  const { lease, maxGracePeriodMs } = config;
  const around = {
    peers: view.peers,
    storeTimeMs,
    ttlMs: lease.ttlMs,
    maxDrainMs: maxGracePeriodMs + STOP_MARGIN_MS,
  };
  const repair = { ...view, record: repaired(cell.value, advice, around) };
  if (!before(repair)) return repair;
  // They know the term by heart, and would go on from it.
  if (view.finding.record) await assertSilent(store, config, view.peers);
  const { ok } = await store.write(view.key, encodeRecord(repair.record), cell.version, CALL);
  if (!ok) throw new Error('the lease has been changed meanwhile: check it with highlander storage show');
  return repair;
}

async function lookAt(store: CellStore, { tenant }: Config) {
  const key = cellKeys.lease(tenant);
  const reply = await store.read(key, CALL);
  const peers = await readPeers(store, tenant, CALL);
  const view: LeaseView = { kind: store.kind, key, text: reply.cell?.value, finding: examine(reply), peers };
  return { view, reply };
}

async function assertSilent(store: CellStore, config: Config, before: readonly Peer[]): Promise<void> {
  const alive = await livingPeers(store, config, before);
  if (alive.length === 0) return;
  const names = alive.map(({ identity, cluster }) => `${identity} (${cluster.name})`).join(', ');
  throw new RepairRefused(`stop all controllers of the tenant first, because they use this term: ${names}`);
}
