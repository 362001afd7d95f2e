/** Watches over a link: events arrive late and in order; a cut breaks the connection, which is noticed some time later. */
import type { WatchOptions } from '../../cluster/cluster-client.ts';
import type { Event, Transport } from '../api/client.ts';
import type { Availability, Link } from '../link.ts';
import type { Process } from '../machine.ts';

const OPEN_MS = 30_000;
const BOOKMARK_MS = 60_000;
/** Longest until an end of a cut connection is noticed. */
const NOTICE_MS = 15_000;
const RESET_MS = 50;
const LISTEN_MS = 1000;
/** What TCP takes to send a lost packet once more. */
const AGAIN_MS = 1500;
const HUNG_MS = 250;

/** The ends of a watch, and what lies between them. */
export interface Wire {
  readonly process: Process;
  readonly link: Link;
  readonly server: Availability;
  /** The server's latest version, for bookmarks. */
  readonly version: () => number;
  /** Longest lag of an event, milliseconds. */
  lagMs: number;
}

/** The way of one process to an API server. */
export function transportOver(wire: Wire): Transport {
  return {
    call: (serve, options) => wire.link.call(serve, options),
    stream: (open, options) => streamed(wire, open, options),
  };
}

type Open = Parameters<Transport['stream']>[0];

async function* streamed(wire: Wire, open: Open, options: WatchOptions): AsyncGenerator<Event> {
  const connection = new Connection(wire);
  const abort = () => connection.fail(options.signal.reason);
  options.signal.addEventListener('abort', abort, { once: true });
  try {
    await wire.link.call(() => connection.opened(open, options.timeoutSeconds * 1000), {
      timeoutMs: OPEN_MS,
      signal: options.signal,
    });
    options.onOpen?.();
    for (;;) {
      const event = await connection.next();
      if (!event) return;
      yield event;
    }
  } finally {
    options.signal.removeEventListener('abort', abort);
    connection.close();
  }
}

class Connection {
  readonly #wire: Wire;
  readonly #arrived: Event[] = [];
  #lastArrival = 0;
  #isBroken = false;
  #ended: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};
  #unsubscribe: () => void = () => {};

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** At the server. */
  opened(open: Open, limitMs: number): void {
    const { world } = this.#wire.process.machine;
    this.#unsubscribe();
    this.#unsubscribe = open((event) => this.#push(() => void this.#arrived.push(event)));
    world.after(limitMs, () => this.#push(() => (this.#ended ??= {})));
    this.#bookmark();
    this.#listen();
  }

  async next(): Promise<Event | undefined> {
    while (this.#arrived.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const event = this.#arrived.shift();
    if (event) return event;
    if (this.#ended && 'error' in this.#ended) throw this.#ended.error;
    return undefined;
  }

  fail(error: unknown): void {
    this.#ended ??= { error };
    this.#wake();
  }

  close(): void {
    this.#ended ??= {};
    this.#unsubscribe();
  }

  #bookmark(): void {
    const { process, version } = this.#wire;
    process.machine.world.after(BOOKMARK_MS, () => {
      if (this.#ended || this.#isBroken || !process.alive) return;
      const resourceVersion = String(version());
      this.#push(() => void this.#arrived.push({ type: 'BOOKMARK', resourceVersion }));
      this.#bookmark();
    });
  }

  /** A server that goes away resets its connections, also those that have nothing to tell. */
  #listen(): void {
    const { process, server } = this.#wire;
    if (this.#ended || this.#isBroken || !process.alive) return;
    if (server.down) return this.#break(RESET_MS);
    process.machine.world.after(LISTEN_MS, () => this.#listen());
  }

  #push(take: () => void): void {
    const { process, link, lagMs } = this.#wire;
    const { world } = process.machine;
    if (!process.alive || this.#ended) return this.#unsubscribe();
    if (this.#isBroken) return;
    const again = world.chance.hits(link.conditions.loses) ? world.chance.skewed(0, AGAIN_MS) : 0;
    this.#lastArrival = Math.max(this.#lastArrival, world.now + world.chance.skewed(1, lagMs) + again);
    world.at(this.#lastArrival, () => this.#arrive(take));
  }

  #arrive(take: () => void): void {
    const { process, link, server } = this.#wire;
    const { world } = process.machine;
    if (this.#isBroken || this.#ended) return;
    if (server.hangs) {
      // In order: what comes behind it waits as well.
      this.#lastArrival = Math.max(this.#lastArrival, world.now + HUNG_MS);
      return world.at(this.#lastArrival, () => this.#arrive(take));
    }
    if (server.down || link.conditions.cutReplies) return this.#break(server.down ? RESET_MS : NOTICE_MS);
    process.deliver(() => {
      if (this.#isBroken || this.#ended) return;
      take();
      this.#wake();
    });
  }

  #break(noticedMs: number): void {
    const { process } = this.#wire;
    const { world } = process.machine;
    this.#isBroken = true;
    this.#unsubscribe();
    world.after(world.chance.skewed(1, noticedMs), () =>
      process.deliver(() => this.fail(new Error('the connection was reset'))),
    );
  }
}
