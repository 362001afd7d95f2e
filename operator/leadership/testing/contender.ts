/** A controller's leadership half on a virtual clock and a steerable store, as tests of the elector see it. */
import type { CellStore } from '../../lease/cell-store.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { FakeClock } from '../../lib/testing/fake-clock.ts';
import type { Takeover } from '../activation.ts';
import { Elector } from '../elector.ts';
import { LeadershipGuard } from '../guard.ts';
import { PermitKeeper } from '../permit-keeper.ts';
import type { Permit } from '../permit.ts';
import type { PermitStore } from '../ports.ts';
import { Presence } from '../presence.ts';
import type { Timing } from '../timing.ts';

export const timing: Timing = { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 };

/** One cluster: its permit, and whether its API server answers. */
export class TestCluster {
  readonly id: string;
  permit: Permit | undefined;
  reachable = true;
  /** Reads are answered all the same. */
  takesWrites = true;
  /** How often somebody tried to write. */
  tries = 0;
  stamp = 0;
  drainMs = 30_000;
  #version = 0;

  constructor(id = 'cluster-a') {
    this.id = id;
  }

  readonly permitStore: PermitStore = {
    read: async () => this.#reach(() => this.permit && { permit: this.permit, version: String(this.#version) }),
    write: async (permit, expected) =>
      this.#reach(() => {
        this.tries += 1;
        if (!this.takesWrites) throw new Error('etcdserver: mvcc: database space exceeded');
        if (expected !== (this.permit && String(this.#version))) return undefined;
        this.permit = permit;
        return String(++this.#version);
      }),
  };

  /** As whoever may edit it. */
  editPermit(fields: Partial<Permit>): void {
    if (!this.permit) throw new Error('there is no permit yet');
    this.permit = { ...this.permit, ...fields };
    this.#version += 1;
  }

  #reach<T>(act: () => T): T {
    if (!this.reachable) throw new Error('the API server does not answer');
    return act();
  }
}

export interface Contender {
  readonly identity: string;
  readonly elector: Elector;
  readonly guard: LeadershipGuard;
  readonly presence: Presence;
  /** `elected 1`, `lost 1: …`, in order. */
  readonly history: string[];
  readonly done: Promise<void>;
  /** As kill -9: nothing that this process does reaches the store any more. */
  kill(): void;
}

export interface ContenderOptions {
  readonly identity: string;
  readonly clock: FakeClock;
  readonly store: CellStore;
  readonly cluster: TestCluster;
  readonly remainsFollower?: boolean;
  /** Unless given, it knows one cluster only. */
  readonly takeover?: Takeover;
}

/** The process's connection to the store, which dies with it. */
function mortal(store: CellStore): { readonly store: CellStore; kill(): void } {
  let dead = false;
  const alive = <T>(act: () => Promise<T>): Promise<T> => (dead ? new Promise(() => {}) : act());
  return {
    kill: () => void (dead = true),
    store: {
      kind: store.kind,
      read: (key, call) => alive(() => store.read(key, call)),
      write: (key, value, expected, call) => alive(() => store.write(key, value, expected, call)),
      remove: (key, expected, call) => alive(() => store.remove(key, expected, call)),
      list: (prefix, call) => alive(() => store.list(prefix, call)),
      subscribe: (key, hint) => store.subscribe(key, hint),
      close: () => store.close(),
    },
  };
}

export function contend(options: ContenderOptions): Contender {
  const { identity, clock, cluster, remainsFollower = false, takeover } = options;
  const { store, kill } = mortal(options.store);
  const history: string[] = [];
  const clusterRef = { id: cluster.id, name: 'default' };
  const presence = new Presence({
    tenant: 'default',
    identity,
    cluster: clusterRef,
    store,
    clock,
    logger: silentLogger,
    periodMs: 5000,
    highestStamp: () => cluster.stamp,
    mayLead: () => !remainsFollower && cluster.reachable && elector.unfitBecause === undefined,
    onLoss: () => elector.canaryLost(),
  });
  const elector: Elector = new Elector({
    tenant: 'default',
    candidate: { identity, cluster: clusterRef, timing, ...(takeover && { takeover }) },
    remainsFollower,
    store,
    permit: new PermitKeeper(cluster.permitStore),
    presence,
    cluster: {
      ready: () => cluster.reachable,
      highestStamp: () => cluster.stamp,
      drainMs: (graceMs) => Math.max(cluster.drainMs, graceMs),
      silentMs: () => 0,
      serverTime: () => clock.wall(),
    },
    listener: {
      elected: (term) => history.push(`elected ${term}`),
      lost: (term, because) => history.push(`lost ${term}: ${because}`),
      renewed: () => {},
      refused: () => {},
      reconsider: () => {},
    },
    watchdog: { arm: () => {}, disarm: () => {}, close: async () => {} },
    clock,
    logger: silentLogger,
  });
  const done = Promise.all([elector.run(), presence.run()]).then(() => {});
  return {
    identity,
    elector,
    guard: new LeadershipGuard(elector, timing.retryPeriodMs),
    presence,
    history,
    done,
    kill,
  };
}
