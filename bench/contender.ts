/** A controller's leadership half with the production elector and presence, on a store of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Elector } from '../operator/leadership/elector.ts';
import { PermitKeeper } from '../operator/leadership/permit-keeper.ts';
import { Presence } from '../operator/leadership/presence.ts';
import type { Timing } from '../operator/leadership/timing.ts';
import { cellKeys, type CellStore } from '../operator/lease/cell-store.ts';
import { observed } from '../operator/lease/observed.ts';
import { systemClock } from '../operator/lib/clock.ts';
import { silentLogger } from '../operator/lib/logger.ts';

export const TENANT = 'bench';
const CLUSTER = { id: 'bench', name: 'bench' };
/** The defaults. */
const TIMING: Timing = { ttlMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 };

export interface Standing {
  /** When it was elected, by `performance.now()`. */
  readonly elected: Promise<number>;
  /** Resolves once it has seen somebody else hold the lease. */
  watching(): Promise<void>;
  /** Resolves to when the store had acknowledged the release, and ends the elector. */
  leave(): Promise<number>;
}

export class Contender {
  readonly #identity: string;
  readonly #store: CellStore;
  readonly #presence: Presence;
  readonly #finished: Promise<void>;
  /** Listens all the time, so that an elector that begins to listen does not open a connection. */
  readonly #unsubscribe: () => void;
  #elector: Elector | undefined;

  constructor(identity: string, store: CellStore) {
    this.#identity = identity;
    this.#store = store;
    this.#presence = new Presence({
      tenant: TENANT,
      identity,
      cluster: CLUSTER,
      store,
      clock: systemClock,
      logger: silentLogger,
      periodMs: TIMING.renewDeadlineMs / 2,
      highestStamp: () => 0,
      mayLead: () => true,
      onLoss: () => this.#elector?.canaryLost(),
    });
    this.#finished = this.#presence.run();
    this.#unsubscribe = store.subscribe(cellKeys.lease(TENANT), () => {});
  }

  /** The canary, which costs a round trip before an acquisition, is in the store. */
  async placed(): Promise<void> {
    while (this.#presence.placedAt === undefined) await sleep(5);
  }

  /** Takes part in the election from now on. */
  stand(): Standing {
    const elected = Promise.withResolvers<number>();
    let answeredAt = Number.NaN;
    const store = observed(this.#store, {
      operation: (name) => void (answeredAt = name === 'write' ? performance.now() : answeredAt),
    });
    const elector = this.#newElector(store, () => elected.resolve(performance.now()));
    this.#elector = elector;
    const done = elector.run();
    return {
      elected: elected.promise,
      watching: async () => {
        while (!elector.record?.holder) await sleep(5);
      },
      leave: async () => {
        elector.leave();
        await done;
        return answeredAt;
      },
    };
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#presence.stop();
    await this.#finished;
    await this.#store.close();
  }

  /** The permit is in memory and no thread watches: neither is the store's cost. */
  #newElector(store: CellStore, elected: () => void): Elector {
    return new Elector({
      tenant: TENANT,
      candidate: { identity: this.#identity, cluster: CLUSTER, timing: TIMING },
      remainsFollower: false,
      store,
      permit: new PermitKeeper({ read: async () => undefined, write: async () => '1' }),
      presence: this.#presence,
      cluster: {
        ready: () => true,
        highestStamp: () => 0,
        drainMs: () => 0,
        silentMs: () => 0,
        serverTime: () => undefined,
      },
      listener: { elected, lost: () => {}, renewed: () => {}, refused: () => {}, reconsider: () => {} },
      watchdog: { arm: () => {}, disarm: () => {}, close: async () => {} },
      clock: systemClock,
      logger: silentLogger,
    });
  }
}
