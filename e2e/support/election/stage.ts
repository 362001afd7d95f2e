/** What an election is played on: a store, the stand-in for the API server, and members in their places. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Place } from './member-process.ts';
import { StandIn } from './stand-in.ts';
import { STORES, type Store, type StoreName } from './stores.ts';

const MEMBERS = 4;

export interface Stage {
  readonly store: Store;
  readonly standIn: StandIn;
  readonly places: readonly Place[];
}

export interface StageOptions {
  readonly store: StoreName;
  readonly tenant: string;
  /** Of a cluster that keeps the permit; the stand-in keeps it where there is none. */
  readonly kubeconfig?: string;
  readonly onUnexpectedEnd: (what: string) => void;
}

/** All of it, folder and processes, ends with `ending`. */
export async function openStage(options: StageOptions, ending: AsyncDisposableStack): Promise<Stage> {
  const { tenant, kubeconfig, onUnexpectedEnd } = options;
  const folder = mkdtempSync(join(tmpdir(), 'highlander-election-'));
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = ending.use(await STORES[options.store]());
  const standIn = ending.use(await StandIn.start());
  const places: Place[] = [];
  for (let n = 1; n <= MEMBERS; n += 1) {
    const { port } = standIn;
    const place = await Place.open({ name: `m${n}`, tenant, port, store, folder, kubeconfig, onUnexpectedEnd });
    places.push(ending.use(place));
  }
  await Promise.all(places.map((place) => place.start()));
  return { store, standIn, places };
}
