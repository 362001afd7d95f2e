/** Doubles for tests of the loop. */
import type { KubeObject, ResourceType } from '../../cluster/cluster-client.ts';
import { ObjectStore, type StoreEvent, type StoreKey } from '../../cluster/object-store.ts';
import type { LogFields, Logger } from '../../lib/logger.ts';
import type { Grant, ObjectKey, Reconciler, Result } from '../../reconcile/reconciler.ts';
import type { Source } from '../controller.ts';
import type { Guard } from '../worker.ts';

export const grant: Grant = {
  term: 7,
  holder: 'me',
  scope: 'single',
  signal: new AbortController().signal,
  assertHeld() {},
  async allowGrace() {},
};
export const openGuard: Guard = { enter: async () => grant };

/** Remembers what it was asked for; `act` decides how each call ends. */
export class RecordingReconciler implements Reconciler {
  readonly kind = 'Thing';
  readonly calls: string[] = [];
  act: (key: ObjectKey, grant: Grant) => Promise<Result> = async () => ({});

  reconcile(key: ObjectKey, held: Grant): Promise<Result> {
    this.calls.push(key.name);
    return this.act(key, held);
  }
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export function recordingLogger(lines: LogLine[] = [], bound: LogFields = {}): Logger & { readonly lines: LogLine[] } {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields: { ...bound, ...fields } });
  const child = (fields: LogFields): Logger => recordingLogger(lines, { ...bound, ...fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child };
}

/** A cache that a test fills. */
export class FakeSource implements Source<KubeObject> {
  readonly type: ResourceType = {
    group: 'example.com',
    version: 'v1',
    plural: 'things',
    kind: 'Thing',
    namespaced: true,
  };
  readonly ready = Promise.withResolvers<void>();
  readonly synced = this.ready.promise;
  started = 0;
  stopped = 0;
  readonly #listeners = new Set<(event: StoreEvent<KubeObject>) => void>();
  readonly store = new ObjectStore<KubeObject>((event) => this.#listeners.forEach((listener) => listener(event)));

  subscribe(listener: (event: StoreEvent<KubeObject>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  list(): readonly KubeObject[] {
    return this.store.list();
  }

  get(key: StoreKey): KubeObject | undefined {
    return this.store.get(key);
  }

  start(): void {
    this.started++;
  }

  async stop(): Promise<void> {
    this.stopped++;
  }
}
