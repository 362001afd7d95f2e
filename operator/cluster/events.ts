/**
 * Events for people (`kubectl describe`): recorded without waiting, written one by one in the background, dropped when
 * the API server cannot keep up. Recording never throws and never delays a reconcile. A repeated event becomes a count
 * on the first one. Events are no workload writes, so they do not ask the guard; `enabled` keeps standbys silent.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { ApiError, type ClusterClient, core, hasCode, type KubeObject } from './cluster-client.ts';

/** The object that an event is about. */
export interface EventRegarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** An event as callers record it. */
export interface EventInput {
  readonly regarding: EventRegarding;
  readonly type: 'Normal' | 'Warning';
  /** Why, CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done about it, CamelCase, at most 128 characters. */
  readonly action: string;
  /** For people; cut to 1024 bytes. */
  readonly note: string;
}

/** Who records, and by which client. */
export interface EventRecorderOptions {
  readonly client: Pick<ClusterClient, 'create' | 'patch' | 'redact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Qualified name of the product, e.g. `example.com/operator`. */
  readonly reportingController: string;
  /** This process; cut to 128 characters. */
  readonly reportingInstance: string;
  /** Whether to record at all at this moment, e.g. only while leading; default: always. */
  readonly enabled?: () => boolean;
  /** Events that may wait to be written; default: 500. */
  readonly capacity?: number;
  /** Writes per second, at most; default: 10. */
  readonly perSecond?: number;
}

interface Series {
  readonly input: EventInput;
  readonly key: string;
  name: string | undefined;
  count: number;
  lastSeen: number;
  lastWrite: number;
  waiting: boolean;
}

/** The same event within this time is the same series, as in client-go. */
const SERIES_MS = 6 * 60_000;
/** A series is written at most so often. */
const SERIES_WRITE_MS = 30_000;
const NOTE_BYTES = 1024;
const WRITE_TIMEOUT_MS = 5_000;

/** Records events; `record` never throws and never waits. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** In order of their last event: the oldest first. */
  readonly #series = new Map<string, Series>();
  readonly #queue: Series[] = [];
  readonly #timers = new Map<Series, { cancel(): void }>();
  readonly #stopping = new AbortController();
  #worker: Promise<void> | undefined;
  /** Aborted by `close`: no pauses from then on. */
  readonly #closing = new AbortController();
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Events that were lost: the queue was full, or the API server refused them. */
  get dropped(): number {
    return this.#dropped;
  }

  record(input: EventInput): void {
    if (this.#closing.signal.aborted || this.#options.enabled?.() === false) return;
    const now = this.#options.clock.wall();
    const key = JSON.stringify([
      input.regarding.uid,
      input.regarding.namespace,
      input.regarding.name,
      input.type,
      input.reason,
      input.action,
      input.note,
    ]);
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (!known || now - known.lastSeen > SERIES_MS) {
      const made: Series = {
        input,
        key,
        name: undefined,
        count: 1,
        lastSeen: now,
        lastWrite: Number.NEGATIVE_INFINITY,
        waiting: false,
      };
      if (this.#enqueue(made)) this.#series.set(key, made);
    } else {
      this.#series.set(key, known);
      known.count++;
      known.lastSeen = now;
      this.#schedule(known);
    }
    this.#prune(now);
  }

  /** Writes what waits, for at most `timeoutMs` milliseconds, and drops the rest. Records nothing any more. */
  async close(timeoutMs = 2000): Promise<void> {
    this.#closing.abort();
    for (const [series, timer] of this.#timers) {
      timer.cancel();
      this.#enqueue(series);
    }
    this.#timers.clear();
    const end = this.#options.clock.after(timeoutMs, () => this.#stopping.abort(new Error('The recorder was closed')));
    await this.#worker;
    end.cancel();
    this.#dropped += this.#queue.splice(0).length;
  }

  #schedule(series: Series): void {
    if (series.waiting || this.#timers.has(series)) return;
    const wait = series.lastWrite + SERIES_WRITE_MS - this.#options.clock.monotonic();
    const timer = this.#options.clock.after(Math.max(0, wait), () => {
      this.#timers.delete(series);
      this.#enqueue(series);
    });
    this.#timers.set(series, timer);
  }

  #enqueue(series: Series): boolean {
    if (this.#queue.length >= (this.#options.capacity ?? 500)) {
      this.#dropped++;
      return false;
    }
    series.waiting = true;
    this.#queue.push(series);
    this.#worker ??= this.#work();
    return true;
  }

  async #work(): Promise<void> {
    const { clock, perSecond = 10 } = this.#options;
    const { signal } = this.#stopping;
    await Promise.resolve();
    while (!signal.aborted) {
      const series = this.#queue.shift();
      if (!series) break;
      series.waiting = false;
      series.lastWrite = clock.monotonic();
      const pause = await this.#write(series, signal);
      await clock.sleep(Math.max(pause, 1000 / perSecond), this.#closing.signal).catch(() => {});
    }
    this.#worker = undefined;
  }

  /** Milliseconds that the server asked us to wait. A failed event is not tried again. */
  async #write(series: Series, signal: AbortSignal): Promise<number> {
    try {
      if (series.name === undefined || !(await this.#count(series, series.name, signal)))
        await this.#create(series, signal);
      return 0;
    } catch (error) {
      this.#dropped++;
      this.#options.logger.debug('Failed to write an event', { reason: series.input.reason, error: messageOf(error) });
      return error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    }
  }

  async #create(series: Series, signal: AbortSignal): Promise<void> {
    const event = this.#eventOf(series);
    const { metadata } = await this.#options.client.create(core.events, event, { signal, timeoutMs: WRITE_TIMEOUT_MS });
    series.name = metadata.name;
  }

  /** False when the event is gone, as after its hour. */
  async #count(series: Series, name: string, signal: AbortSignal): Promise<boolean> {
    const at = { name, namespace: namespaceOf(series.input) };
    try {
      await this.#options.client.patch(
        core.events,
        at,
        { series: seriesOf(series) },
        { type: 'merge', signal, timeoutMs: WRITE_TIMEOUT_MS },
      );
      return true;
    } catch (error) {
      if (hasCode(error, 404)) return false;
      throw error;
    }
  }

  #eventOf(series: Series): KubeObject & Record<string, unknown> {
    const { reportingController, reportingInstance, clock } = this.#options;
    const { regarding, type, reason, action, note } = series.input;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: `${regarding.name.slice(0, 200)}.${randomUUID().slice(0, 13)}`,
        namespace: namespaceOf(series.input),
      },
      eventTime: microTime(clock.wall()),
      ...(series.count > 1 && { series: seriesOf(series) }),
      reportingController,
      reportingInstance: reportingInstance.slice(0, 128),
      type,
      reason: reason.slice(0, 128),
      action: action.slice(0, 128),
      regarding,
      note: cut(this.#options.client.redact?.(note) ?? note),
    };
  }

  #prune(now: number): void {
    for (const [key, series] of this.#series) {
      if (now - series.lastSeen <= SERIES_MS && this.#series.size <= 1000) return;
      this.#series.delete(key);
    }
  }
}

/** An Event lives in its object's namespace; one about a cluster-scoped object in `default`. */
function namespaceOf(input: EventInput): string {
  return input.regarding.namespace ?? 'default';
}

function seriesOf(series: Series): { count: number; lastObservedTime: string } {
  return { count: series.count, lastObservedTime: microTime(series.lastSeen) };
}

/** Kubernetes' MicroTime: six digits, or the server refuses it. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function cut(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES) return note;
  // Decoding drops a character that was cut in two.
  return `${new TextDecoder().decode(bytes.subarray(0, NOTE_BYTES - 3)).replace(/\uFFFD$/, '')}…`;
}
