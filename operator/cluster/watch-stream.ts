/** One watch: from the lines of a reply to events, with a limit on silence. */
import type { Clock, Timer } from '../lib/clock.ts';
import { errorOfEvent } from './api-status.ts';
import type { KubeObject, WatchEvent } from './cluster-client.ts';
import { DeadlineExceeded, untilAborted } from './deadline.ts';
import type { Reply } from './exchange.ts';
import { linesOf } from './lines.ts';

/** How a watch is started, and how long it may be silent. */
export interface WatchStreamOptions {
  /** Names the watch in errors. */
  readonly what: string;
  readonly start: (signal: AbortSignal) => Promise<Reply>;
  readonly clock: Clock;
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** See `WatchOptions`. */
  readonly onOpen?: (() => void) | undefined;
}

interface RawEvent {
  readonly type?: string;
  readonly object?: unknown;
}

/** An API server answers a watch at once: no headers for so long means that nobody is there. */
const HEADERS_LIMIT_MS = 30_000;

/**
 * The events of one watch. Ends normally when the server closes it; throws `ApiError` for an ERROR event and for a
 * refusal, `DeadlineExceeded` after silence, and what the network or `signal` had to say.
 */
export async function* watchEvents<T extends KubeObject>(
  options: WatchStreamOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  options.signal.throwIfAborted();
  const silence = new SilenceLimit(options);
  try {
    silence.allow(Math.min(options.idleMs, HEADERS_LIMIT_MS));
    const reply = await untilAborted(options.start(silence.signal), silence.signal);
    options.onOpen?.();
    for await (const line of linesOf(silence.watching(reply.body))) {
      yield eventOf<T>(options.what, JSON.parse(line) as RawEvent);
    }
  } finally {
    silence.end();
  }
}

function eventOf<T extends KubeObject>(what: string, event: RawEvent): WatchEvent<T> {
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: event.object as T };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: (event.object as KubeObject).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw errorOfEvent(what, event.object);
    case undefined:
    default:
      throw new Error(`${what}: an event of unknown type "${event.type ?? ''}"`);
  }
}

/** Aborts `signal` when nothing was received for too long, or with the outer signal. */
class SilenceLimit {
  readonly #options: WatchStreamOptions;
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  allow(ms: number): void {
    this.#timer?.cancel();
    const error = (): Error => new DeadlineExceeded(`${this.#options.what}: nothing received for ${ms} ms`);
    this.#timer = this.#options.clock.after(ms, () => this.#controller.abort(error()));
  }

  async *watching(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    this.allow(this.#options.idleMs);
    for await (const chunk of chunks) {
      this.#timer?.cancel();
      yield chunk;
      this.allow(this.#options.idleMs);
    }
  }

  end(): void {
    this.#timer?.cancel();
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#controller.abort();
  }

  readonly #abort = (): void => this.#controller.abort(this.#options.signal.reason);
}
