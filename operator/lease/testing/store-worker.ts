/**
 * A process that uses a store as others do, so that it can be killed or live in another time. Its only argument is a
 * `Task` as JSON; what it finds goes to standard output, a line of JSON each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CellStore, Version } from '../cell-store.ts';
import { openStore, type StoreOptions } from '../open.ts';

export type OutsideStore = Exclude<StoreOptions, { readonly kind: 'kubernetes' }>;

export interface Task {
  readonly store: OutsideStore | { readonly kind: 'kubernetes'; readonly kubeconfig: string };
  readonly key: string;
  /** `count`: adds one to the cell, again and again. `once`: writes and reads it. */
  readonly work: 'count' | 'once';
}

/** Of `count`: after each write that was acknowledged. */
export interface Counted {
  readonly count: number;
}

/** Of `once`. */
export interface Answer {
  readonly ok: boolean;
  readonly incarnation: string;
  readonly ageMs: number;
  readonly storeTimeMs: number;
  /** What the process believes. */
  readonly wallMs: number;
}

/** Whoever has just written would win the next race as well: compare-and-set is not fair. */
const PAUSE_MS = 5;
const call = { timeoutMs: 30_000 };
const say = (line: Counted | Answer) => process.stdout.write(`${JSON.stringify(line)}\n`);

const { store: options, key, work } = JSON.parse(process.argv[2] ?? '{}') as Task;
const store = options.kind === 'kubernetes' ? await inCluster(options.kubeconfig) : await openStore(options);
await (work === 'count' ? count(store) : once(store));
await store.close();

async function inCluster(path: string): Promise<CellStore> {
  const { leaseStore } = await import('./lease-store.ts');
  return leaseStore(path);
}

async function count(cells: CellStore): Promise<never> {
  for (;;) {
    const { cell } = await cells.read(key, call);
    const next = Number(cell?.value ?? 0) + 1;
    if ((await cells.write(key, String(next), cell?.version, call)).ok) say({ count: next });
    await sleep(PAUSE_MS);
  }
}

async function once(cells: CellStore): Promise<void> {
  const before: Version | undefined = (await cells.read(key, call)).cell?.version;
  const { ok } = await cells.write(key, 'written', before, call);
  const { incarnation, cell, storeTimeMs } = await cells.read(key, call);
  say({ ok, incarnation, ageMs: cell?.ageMs ?? NaN, storeTimeMs, wallMs: Date.now() });
}
