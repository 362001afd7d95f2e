/**
 * The loop: takes a key, asks the guard for leave, reconciles, and goes by the decision that an error is. A failure of
 * one key never ends a worker.
 */
import { randomUUID } from 'node:crypto';
import { ApiError, hasCode, isNamespaceGoing } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import { HigherTermSeen, messageOf, NotLeader, RetryLater, TerminalError } from '../lib/errors.ts';
import type { LogFields, Logger } from '../lib/logger.ts';
import { workloadName } from '../reconcile/metadata.ts';
import type { Grant, ObjectKey, Reconciler, Result } from '../reconcile/reconciler.ts';
import type { WorkQueue } from './queue.ts';

/** The part of the guard that a worker needs: leave to act, or `NotLeader`. */
export interface Guard {
  enter(signal?: AbortSignal): Promise<Grant>;
}

/** How a reconcile ended; the label of its counter. */
export type Outcome = 'success' | 'later' | 'conflict' | 'terminal' | 'not-leader' | 'stopped' | 'error';

/** All outcomes of a reconcile, for metrics. */
export const outcomes: readonly Outcome[] = [
  'success',
  'later',
  'conflict',
  'terminal',
  'not-leader',
  'stopped',
  'error',
];

/** For metrics. */
export interface WorkerObserver {
  /** `ms`: how long the guard and the reconciler took together. */
  reconciled?(kind: string, outcome: Outcome, ms: number): void;
}

/** What the workers take from, whom they ask, and what they call. */
export interface WorkersOptions {
  readonly queue: WorkQueue;
  readonly reconciler: Reconciler;
  readonly guard: Guard;
  /** A child carries a later term than ours: finds out who leads. */
  readonly dispute: (seen: HigherTermSeen) => void;
  /** Whether this controller leads as far as it knows; decides what becomes of a key that the guard refused. */
  readonly isActive: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: WorkerObserver;
  /** Keys worked on at once; 4 unless told. */
  readonly concurrency?: number;
  /** Names a reconcile in log lines; random unless told. */
  readonly newId?: () => string;
}

/** A number of workers on one queue. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ controller: options.reconciler.kind });
  }

  /** Starts the workers; once. */
  start(): void {
    if (this.#loops.length > 0) return;
    this.#loops = Array.from({ length: this.#options.concurrency ?? 4 }, () => this.#loop());
  }

  /** Takes no more keys and resolves when the reconciles under way have ended; their grants end them early. */
  async stop(): Promise<void> {
    this.#stopping.abort(new NotLeader('The controller is stopping'));
    await this.#options.queue.shutdown();
    await Promise.all(this.#loops);
  }

  async #loop(): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.take(); key; key = await queue.take()) {
      try {
        await this.#process(key);
      } catch (error) {
        this.#logger.error('Worker failed', { ...key, error: messageOf(error) });
      } finally {
        queue.done(key);
      }
    }
  }

  async #process(key: ObjectKey): Promise<void> {
    const { guard, reconciler, clock, observer, newId = randomUUID } = this.#options;
    const started = clock.monotonic();
    const fields: Record<string, unknown> = { namespace: key.namespace, name: key.name, reconcileID: newId() };
    let outcome: Outcome;
    try {
      const grant = await guard.enter(this.#stopping.signal);
      fields['leaderTerm'] = grant.term;
      if (grant.heldBack?.has(workloadName(reconciler.kind, key))) outcome = this.#leave(key);
      else outcome = this.#succeed(key, await reconciler.reconcile(key, grant));
    } catch (error) {
      outcome = this.#decide(key, error, fields);
    }
    observer?.reconciled?.(reconciler.kind, outcome, clock.monotonic() - started);
  }

  #succeed(key: ObjectKey, result: Result): Outcome {
    const { queue } = this.#options;
    queue.forget(key);
    const { requeueAfterMs } = result;
    if (requeueAfterMs === 0) queue.add(key, 'low');
    else if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    return 'success';
  }

  /** It may still run in another cluster: all keys come back when it does not. */
  #leave(key: ObjectKey): Outcome {
    this.#options.queue.forget(key);
    return 'later';
  }

  #decide(key: ObjectKey, error: unknown, fields: LogFields): Outcome {
    const { queue } = this.#options;
    if (error instanceof NotLeader) return this.#refused(key, error, fields);
    if (this.#stopping.signal.aborted) return 'stopped';
    if (error instanceof RetryLater) {
      queue.forget(key);
      queue.addAfter(key, error.afterMs);
      this.#logger.debug('Reconcile was postponed', {
        ...fields,
        afterMs: error.afterMs,
        reason: error.message,
      });
      return 'later';
    }
    if (error instanceof TerminalError) {
      queue.forget(key);
      const { retryAfterMs: retryInMs } = error;
      if (retryInMs !== undefined) queue.addAfter(key, retryInMs);
      this.#logger.error('Reconcile failed, will retry after a change', {
        ...fields,
        reason: error.reason,
        error: error.message,
        ...(retryInMs !== undefined && { retryInMs }),
      });
      return 'terminal';
    }
    if (hasCode(error, 409)) {
      const retryInMs = Math.round(queue.addRateLimited(key));
      this.#logger.debug('Object changed during the reconcile, will retry', {
        ...fields,
        retryInMs,
        error: error.message,
      });
      return 'conflict';
    }
    if (isNamespaceGoing(error)) {
      const isNews = queue.failures(key) === 0;
      const retryInMs = Math.round(queue.addRateLimited(key));
      const details = { ...fields, retryInMs, error: error.message };
      this.#logger[isNews ? 'info' : 'debug']('The namespace is being deleted: nothing is made there', details);
      return 'later';
    }
    const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
    const retryInMs = Math.round(queue.addRateLimited(key, asked));
    this.#logger.error('Reconcile failed', { ...fields, retryInMs, error: messageOf(error), ...stackOf(error) });
    return 'error';
  }

  /**
   * Drops the key: election queues everything again. While we lead as far as we know, nobody will, as when a renewal came
   * late and the term went on; then the key backs off instead.
   */
  #refused(key: ObjectKey, error: NotLeader, fields: LogFields): Outcome {
    const { queue, dispute, isActive } = this.#options;
    this.#logger.debug('Reconcile was refused', { ...fields, error: error.message });
    if (error instanceof HigherTermSeen) dispute(error);
    if (isActive() && !this.#stopping.signal.aborted) queue.addRateLimited(key);
    else queue.forget(key);
    return 'not-leader';
  }
}

/** The stack of a programming error; that of an API error tells nothing. */
function stackOf(error: unknown): LogFields {
  return error instanceof Error && !(error instanceof ApiError) && error.stack ? { stack: error.stack } : {};
}
