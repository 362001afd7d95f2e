/** Follows the orders of people: pauses, hands over; and hands over by itself where the configuration says so. */
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Failback } from './failback.ts';
import type { OrderBook, Orders } from './orders.ts';
import type { Peer } from './presence.ts';
import type { Term } from './term.ts';

/** Whose orders are followed, and by whom. */
export interface ObedienceOptions {
  readonly book: OrderBook;
  readonly leader: () => { readonly term: Term | undefined; handOver(to: string): void };
  readonly peers: () => readonly Peer[];
  /** Absent: a person does it. */
  readonly failback?: Failback;
  readonly onPause: (paused: boolean) => void;
  /** Milliseconds between two looks; hints come sooner. */
  readonly periodMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Reads the orders again and again, and carries them out. */
export class Obedience {
  readonly #options: ObedienceOptions;
  #orders: Orders = {};
  #wake: () => void = () => {};

  constructor(options: ObedienceOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#orders.paused !== undefined;
  }

  /** The first look, then until `stopping` is aborted. */
  async run(stopping: AbortSignal): Promise<void> {
    const { book, clock, periodMs } = this.#options;
    let isDue = true;
    const unsubscribe = book.subscribe(() => {
      isDue = true;
      this.#wake();
    });
    try {
      while (!stopping.aborted) {
        isDue = false;
        await this.look();
        const waking = new AbortController();
        this.#wake = () => waking.abort();
        if (!isDue) await clock.sleep(periodMs, AbortSignal.any([stopping, waking.signal])).catch(() => {});
      }
    } finally {
      unsubscribe();
    }
  }

  /** Reads the orders and does what is to be done; keeps to those before when they cannot be read. */
  async look(): Promise<void> {
    const { book, periodMs, logger } = this.#options;
    try {
      this.#take(await book.read({ timeoutMs: periodMs }));
      this.#obey();
    } catch (error) {
      logger.debug('Failed to read requests', { error: messageOf(error) });
    }
  }

  #take(orders: Orders): void {
    const { onPause, logger } = this.#options;
    const wasPaused = this.isPaused;
    this.#orders = orders;
    if (this.isPaused === wasPaused) return;
    logger.info(this.isPaused ? 'Paused' : 'Resumed', { ...orders.paused });
    onPause(this.isPaused);
  }

  #obey(): void {
    const { failback, peers, clock, logger } = this.#options;
    const leader = this.#options.leader();
    const { handOver } = this.#orders;
    const isOrdered = handOver !== undefined && handOver.term === leader.term?.number;
    const better = failback?.heir(peers(), clock.monotonic());
    if (!leader.term || this.isPaused) return;
    if (isOrdered) logger.info('Handing over leadership', { to: handOver.to, by: handOver.by });
    else if (better) logger.info('Failing back', { to: better.identity, cluster: better.cluster.name });
    const to = isOrdered ? handOver.to : better?.identity;
    if (to !== undefined) leader.handOver(to);
  }
}
