/** Writes the history of terms as they come and go; one entry after the other, and nothing waits for it. */
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { History } from './history.ts';
import type { ClusterRef } from './lease-record.ts';

/** Who writes, and where. */
export interface ChronicleOptions {
  readonly history: History;
  readonly identity: string;
  readonly cluster: ClusterRef;
  readonly clock: Clock;
  readonly logger: Logger;
}

const CALL = { timeoutMs: 5000 };

/** Writes terms in the background; a write that fails is logged. */
export class Chronicle {
  readonly #options: ChronicleOptions;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ChronicleOptions) {
    this.#options = options;
  }

  elected(term: number, gapMs: number | undefined): void {
    const { history, identity: holder, cluster } = this.#options;
    const { id, name } = cluster;
    const from = this.#now();
    const gap = gapMs === undefined ? {} : { gapMs: Math.round(gapMs) };
    this.#write(() => history.began({ term, holder, cluster: { id, name }, from, ...gap }, CALL));
  }

  lost(term: number, reason: string): void {
    const to = this.#now();
    this.#write(() => this.#options.history.ended(term, { to, reason }, CALL));
  }

  /** Resolves when all is written, or could not be. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #write(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#options.logger.warn('Failed to write the term history', { error: messageOf(error) });
    });
  }

  #now(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}
