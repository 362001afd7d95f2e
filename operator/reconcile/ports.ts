/** What reconcilers need from the rest of the operator, as small as they need it. */

/** The objects of one type as far as a watch and our own writes have shown them. Read only. */
export interface ReadCache<T> {
  get(key: { readonly namespace: string; readonly name: string }): T | undefined;
  list(): readonly T[];
  /** Takes the reply to a write or a read of ours, so that the cache is never older than those. */
  observe(object: T): void;
}

/** The same, and which of them belong to a workload. */
export interface OwnedCache<T> extends ReadCache<T> {
  byOwner(key: { readonly namespace: string; readonly name: string }): readonly T[];
}

/** The object that an event is about. */
export interface EventRegarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
}

/** Takes events for people; never fails, never waits. */
export interface EventSink {
  record(event: {
    readonly regarding: EventRegarding;
    readonly type: 'Normal' | 'Warning';
    /** CamelCase: why. */
    readonly reason: string;
    /** CamelCase: what was done about it. */
    readonly action: string;
    readonly note: string;
  }): void;
}
