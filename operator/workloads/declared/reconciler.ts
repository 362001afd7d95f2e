/**
 * Keeps the custom resources of one kind that the tenant's configuration file declares, so that they are workloads like
 * any other; removes those that left it.
 */
import type { ChildType } from '../../api/children.ts';
import type { DeclaredWorkload } from '../../api/declared.ts';
import { API_VERSION } from '../../api/group.ts';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Logger } from '../../lib/logger.ts';
import { Applier } from '../../reconcile/apply.ts';
import { assertNotLater } from '../../reconcile/plan.ts';
import type { EventSink, ReadCache } from '../../reconcile/ports.ts';
import type { Grant, ObjectKey, Reconciler, Result } from '../../reconcile/reconciler.ts';
import type { DeclaredChild } from './decide.ts';
import { decide, isDeclared } from './decide.ts';

/** What the file declares, and where it is kept. */
export interface DeclaredOptions {
  readonly resource: ChildType;
  /** Of all kinds. */
  readonly declarations: readonly DeclaredWorkload[];
  readonly client: ClusterClient;
  readonly workloads: ReadCache<DeclaredChild>;
  readonly events: EventSink;
  readonly tenant: string;
  readonly logger: Logger;
}

/** How often one that cannot be kept is looked at again. */
const RECHECK_MS = 60_000;

/** Reconciles the declared custom resources of one kind. */
export class DeclaredReconciler implements Reconciler {
  readonly kind: string;
  readonly #options: DeclaredOptions;
  readonly #applier: Applier<DeclaredChild>;
  readonly #declarations: ReadonlyMap<string, DeclaredWorkload>;

  constructor(options: DeclaredOptions) {
    const { resource, declarations, client } = options;
    this.kind = `Declared${resource.kind}`;
    this.#options = options;
    this.#applier = new Applier(client, resource);
    const own = declarations.filter(({ kind }) => kind === resource.kind);
    this.#declarations = new Map(own.map((each) => [idOf(each.metadata), each]));
  }

  /** All that the file names, made or not. */
  get keys(): readonly ObjectKey[] {
    return [...this.#declarations.values()].map(({ metadata: { namespace, name } }) => ({ namespace, name }));
  }

  /** Whether a custom resource may have something to do with the file. */
  concerns(workload: DeclaredChild): boolean {
    return isDeclared(workload) || this.#declarations.has(idOf(workload.metadata));
  }

  async reconcile(key: ObjectKey, grant: Grant): Promise<Result> {
    const { workloads, tenant } = this.#options;
    const live = workloads.get(key);
    const decision = decide({ declaration: this.#declarations.get(idOf(key)), live, tenant, term: grant.term });
    switch (decision.do) {
      case 'nothing':
        return {};
      case 'complain':
        this.#complain(key, live, decision.why);
        return { requeueAfterMs: RECHECK_MS };
      case 'act': {
        if (live) assertNotLater(live, grant.term, grant.isForged);
        const { live: now, changed } = await this.#applier.apply(decision.action, grant);
        if (now) workloads.observe(now);
        const { type, reason } = decision.action;
        if (!changed)
          this.#options.logger.info('Changed declared workload', { ...this.#fields(key), action: type, reason });
        return changed ? { requeueAfterMs: 0 } : {};
      }
    }
  }

  #complain(key: ObjectKey, live: DeclaredChild | undefined, why: string): void {
    this.#options.logger.warn('Declared workload was not applied', { ...this.#fields(key), reason: why });
    if (!live) return;
    const regarding = {
      apiVersion: API_VERSION,
      kind: this.#options.resource.kind,
      ...key,
      uid: live.metadata.uid ?? '',
    };
    this.#options.events.record({ regarding, type: 'Warning', reason: 'ConfigConflict', action: 'Wait', note: why });
  }

  #fields({ namespace, name }: ObjectKey): ObjectKey & { readonly kind: string } {
    return { kind: this.#options.resource.kind, namespace, name };
  }
}

function idOf({ namespace = '', name }: { readonly namespace?: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
