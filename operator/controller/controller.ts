/**
 * One kind: from events to keys, and one queue with its workers. The caches are kept up on every controller; keys enter
 * the queue only while this one leads and all caches of the kind are complete, so that nothing is done on half a picture.
 */
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { StoreEvent } from '../cluster/object-store.ts';
import type { Reflector } from '../cluster/reflector.ts';
import type { BackoffOptions, Random } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { HigherTermSeen } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ObjectKey, Reconciler } from '../reconcile/reconciler.ts';
import { type Priority, type QueueObserver, WorkQueue } from './queue.ts';
import { type Guard, type WorkerObserver, Workers } from './worker.ts';

/** The part of a reflector that a controller needs. */
export type Source<T extends KubeObject> = Pick<
  Reflector<T>,
  'type' | 'subscribe' | 'list' | 'get' | 'synced' | 'start' | 'stop'
>;

/** Objects that belong to workloads of a kind. Several kinds may share a source. */
export interface ChildSource {
  readonly source: Source<KubeObject>;
  /** The workload that an object belongs to; undefined: none of this kind. */
  mapToKey(object: KubeObject): ObjectKey | undefined;
  /** Whether an event goes before follow-ups of others; a deletion always does. */
  isUrgent?(event: StoreEvent<KubeObject>): boolean;
}

/** A kind to be managed. */
export interface Registration {
  /** The custom resources. */
  readonly source: Source<KubeObject>;
  readonly reconciler: Reconciler;
  readonly children: readonly ChildSource[];
  /** Custom resources that are ours; all unless told. */
  filter?(object: KubeObject): boolean;
  /** Keys to be looked at although there may be no such custom resource. */
  wanted?(): readonly ObjectKey[];
  /** Workers of this kind; 4 unless told. */
  readonly concurrency?: number;
}

/** What the controllers of all kinds share. */
export interface ControllerDeps {
  readonly guard: Guard;
  readonly dispute: (seen: HigherTermSeen) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly queueObserver?: (kind: string) => QueueObserver;
  readonly workerObserver?: WorkerObserver;
  readonly backoff?: BackoffOptions;
  /** All keys are looked at again so often, milliseconds, as a safety net; 600 000 unless told. */
  readonly resyncMs?: number;
}

/** The loop of one kind. */
export class Controller {
  readonly kind: string;
  readonly queue: WorkQueue;
  readonly #registration: Registration;
  readonly #deps: ControllerDeps;
  readonly #workers: Workers;
  readonly #unsubscribe: (() => void)[] = [];
  #active = false;
  /** Counts elections and demotions, so that work set up in one of them ends with it. */
  #epoch = 0;
  #resync: Timer | undefined;

  constructor(registration: Registration, deps: ControllerDeps) {
    const { reconciler, concurrency } = registration;
    const { clock, random, logger, guard, dispute, backoff, queueObserver, workerObserver } = deps;
    this.kind = reconciler.kind;
    this.#registration = registration;
    this.#deps = deps;
    const observer = queueObserver?.(this.kind);
    this.queue = new WorkQueue({ clock, random, ...(backoff && { backoff }), ...(observer && { observer }) });
    const more = { ...(workerObserver && { observer: workerObserver }), ...(concurrency && { concurrency }) };
    this.#workers = new Workers({
      queue: this.queue,
      reconciler,
      guard,
      dispute,
      isActive: () => this.#active,
      clock,
      logger,
      ...more,
    });
  }

  /** The reflectors that must run for this kind. */
  get sources(): readonly Source<KubeObject>[] {
    return [this.#registration.source, ...this.#registration.children.map((child) => child.source)];
  }

  /** Follows the caches and readies the workers, which have nothing to do before `onElected`. */
  start(): void {
    this.#unsubscribe.push(this.#registration.source.subscribe((event) => this.#workloadChanged(event)));
    for (const child of this.#registration.children) {
      this.#unsubscribe.push(child.source.subscribe((event) => this.#childChanged(child, event)));
    }
    this.#workers.start();
  }

  /** Begins to act: queues everything as soon as the caches are complete. */
  onElected(): void {
    const epoch = ++this.#epoch;
    Promise.all(this.sources.map((source) => source.synced)).then(
      () => {
        if (epoch !== this.#epoch) return;
        this.#active = true;
        this.enqueueAll();
        this.#scheduleResync(epoch);
      },
      () => {},
    );
  }

  /** Stops to act: drops all keys. What is under way ends with its grant. */
  onDemoted(): void {
    this.#epoch++;
    this.#active = false;
    this.#resync?.cancel();
    this.queue.clear();
  }

  /** Queues every workload, and every child whose workload is gone. Nothing while this controller does not lead. */
  enqueueAll(priority: Priority = 'normal'): void {
    if (!this.#active) return;
    const { source, children } = this.#registration;
    for (const key of this.#registration.wanted?.() ?? []) this.queue.add(key, priority);
    for (const object of source.list()) if (this.#isOurs(object)) this.queue.add(keyOf(object), priority);
    for (const child of children) {
      for (const object of child.source.list()) {
        const key = child.mapToKey(object);
        if (key && !source.get(key)) this.queue.add(key, 'low');
      }
    }
  }

  /** Ends the workers after what is under way. */
  async stop(): Promise<void> {
    this.onDemoted();
    for (const end of this.#unsubscribe.splice(0)) end();
    await this.#workers.stop();
  }

  #workloadChanged(event: StoreEvent<KubeObject>): void {
    const { object, old } = event;
    if (!this.#active || !(this.#isOurs(object) || (old && this.#isOurs(old)))) return;
    this.queue.add(keyOf(object), old && onlyStatusChanged(object, old) ? 'low' : 'normal');
  }

  #childChanged(child: ChildSource, event: StoreEvent<KubeObject>): void {
    if (!this.#active) return;
    const urgent = event.type === 'deleted' || (child.isUrgent?.(event) ?? false);
    const priority: Priority = urgent ? 'normal' : 'low';
    const key = child.mapToKey(event.object);
    const before = event.old && child.mapToKey(event.old);
    if (key) this.queue.add(key, priority);
    if (before && (before.name !== key?.name || before.namespace !== key.namespace)) this.queue.add(before, priority);
  }

  #isOurs(object: KubeObject): boolean {
    return this.#registration.filter?.(object) ?? true;
  }

  #scheduleResync(epoch: number): void {
    const { clock, random, resyncMs = 600_000 } = this.#deps;
    this.#resync = clock.after(resyncMs * (0.9 + 0.2 * random()), () => {
      if (epoch !== this.#epoch) return;
      this.enqueueAll('low');
      this.#scheduleResync(epoch);
    });
  }
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

/** A write of status, which is mostly our own: everything that a user or the garbage collector can ask for is the same. */
function onlyStatusChanged({ metadata: now }: KubeObject, { metadata: before }: KubeObject): boolean {
  if (now.generation === undefined || now.generation !== before.generation) return false;
  if (now.deletionTimestamp !== before.deletionTimestamp) return false;
  return (['labels', 'annotations', 'finalizers'] as const).every(
    (field) => JSON.stringify(now[field]) === JSON.stringify(before[field]),
  );
}
