/**
 * Callbacks with events, as `watchResource` promises them, made safe: per object in order and one at a time, objects
 * beside each other; several changes of one object that nobody has seen yet become one; a callback that fails is called
 * again, after a back-off, with the latest object. What is handed out is a copy, because callbacks change it.
 */
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import type { Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { WorkQueue } from './queue.ts';

/** What happened to an object. */
export type EventType = StoreEvent<KubeObject>['type'];

/** What is called, and how often at once. */
export interface EventHandlersOptions {
  readonly call: (type: EventType, object: KubeObject) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Callbacks under way at once; 4 unless told. */
  readonly concurrency?: number;
}

interface Pending {
  readonly type: EventType;
  readonly object: KubeObject;
}

/** Calls back for each event, in order for each object. */
export class EventHandlers {
  readonly #options: EventHandlersOptions;
  readonly #queue: WorkQueue;
  readonly #pending = new Map<string, Pending[]>();
  #loops: Promise<void>[] = [];

  constructor(options: EventHandlersOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock, random: options.random });
  }

  start(): void {
    this.#loops = Array.from({ length: this.#options.concurrency ?? 4 }, () => this.#loop());
  }

  async stop(): Promise<void> {
    await this.#queue.shutdown();
    await Promise.all(this.#loops);
  }

  /** Takes an event; never throws and never waits. */
  offer({ type, object }: StoreEvent<KubeObject>): void {
    const { namespace = '', name } = object.metadata;
    const id = `${namespace}/${name}`;
    this.#pending.set(id, merged(this.#pending.get(id) ?? [], { type, object }));
    this.#queue.add({ namespace, name });
  }

  async #loop(): Promise<void> {
    for (let key = await this.#queue.take(); key; key = await this.#queue.take()) {
      const id = `${key.namespace}/${key.name}`;
      const [event, ...later] = this.#pending.get(id) ?? [];
      if (later.length > 0) this.#pending.set(id, later);
      else this.#pending.delete(id);
      try {
        if (event) await this.#options.call(event.type, structuredClone(event.object));
        this.#queue.forget(key);
        if (this.#pending.has(id)) this.#queue.add(key);
      } catch (error) {
        if (event) this.#pending.set(id, (this.#pending.get(id) ?? []).reduce(merged, [event]));
        const retryInMs = Math.round(this.#queue.addRateLimited(key));
        this.#options.logger.error('Handler of a resource event failed', {
          ...key,
          retryInMs,
          error: messageOf(error),
        });
      } finally {
        this.#queue.done(key);
      }
    }
  }
}

/** Appends an event; changes that nobody has seen become one, and a deletion stands for what was before it. */
function merged(events: readonly Pending[], next: Pending): Pending[] {
  const last = events.at(-1);
  if (last && last.type !== 'deleted' && next.type === 'modified')
    return [...events.slice(0, -1), { type: last.type, object: next.object }];
  if (last && last.type !== 'deleted' && next.type === 'deleted') return [...events.slice(0, -1), next];
  return [...events, next];
}
