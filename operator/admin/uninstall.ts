/** Takes a tenant's workloads out of a cluster in which none of its controllers lives any more. */
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { podGraceMs } from '../api/grace.ts';
import { API_VERSION, fieldManagers, GROUP, labels, VERSION } from '../api/group.ts';
import { customResources } from '../api/kinds.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { core, hasCode } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import type { Config } from '../config/config.ts';
import type { Peer } from '../leadership/presence.ts';
import { systemClock } from '../lib/clock.ts';
import { forEach } from '../lib/each.ts';
import { identity } from '../reconcile/apply.ts';
import { tenantOf } from '../reconcile/metadata.ts';
import type { Child } from '../reconcile/plan.ts';
import type { Removal } from '../reconcile/removal.ts';
import { removalsOf, withoutOurFinalizers } from '../reconcile/removal.ts';

/** What is to be removed. */
export interface Extent {
  /** All namespaces that the tenant watches unless told. */
  readonly namespace?: string | undefined;
  readonly allTenants: boolean;
  /** What runs is to run on. */
  readonly keep: boolean;
}

/** Between two looks. */
const LOOK_MS = 500;
/** Beside the longest grace period of a pod: what Kubernetes' own controllers take. */
const PATIENCE_MS = 60_000;
const AT_ONCE = 16;
const CALL = { timeoutMs: 10_000 };

interface Workload extends Child {
  readonly status?: { readonly controller?: { readonly tenant?: string } };
}

/** What it reaches out with. */
export interface UninstallationMeans {
  readonly client: HttpClusterClient;
  /** Controllers of these tenants that live, as far as their store knows. Throws what the store throws. */
  readonly living: (tenants: readonly string[]) => Promise<readonly Peer[]>;
}

/** Finds out what is left to do, and does it. */
export class Uninstallation {
  readonly #client: HttpClusterClient;
  readonly #living: UninstallationMeans['living'];
  readonly #config: Config;
  readonly #extent: Extent;

  constructor({ client, living }: UninstallationMeans, config: Config, extent: Extent) {
    this.#client = client;
    this.#living = living;
    this.#config = config;
    this.#extent = extent;
  }

  /** What is to be done now. Throws what the client throws. */
  async look(): Promise<readonly Removal[]> {
    const workloads = (await Promise.all(workloadTypes.map((type) => this.#list<Workload>(type)))).flat();
    const pods = await this.#list<Pod>(childTypes.pods, labels.tenant);
    const own = {
      workloads: workloads.filter((each) => this.#has(each)),
      pods: pods.filter((each) => this.#has(each)),
    };
    const terminating = await this.#terminating([...own.workloads, ...own.pods]);
    return removalsOf({ ...own, terminating, keep: this.#extent.keep });
  }

  /** Of whom there is something. */
  async tenants(): Promise<readonly string[]> {
    if (!this.#extent.allTenants) return [this.#config.tenant];
    return [...new Set((await this.look()).map(({ object }) => tenantNamed(object)))].toSorted();
  }

  /**
   * Controllers of these tenants that live here, as far as the configured store knows; anywhere, if what runs here is to run
   * on. Throws what the store throws.
   */
  async living(tenants: readonly string[]): Promise<readonly Peer[]> {
    const config = this.#config;
    const kubeSystem = await this.#client.get(core.namespaces, { name: 'kube-system' }, CALL).catch(noRight);
    const id = this.#extent.keep ? undefined : (config.cluster.id ?? kubeSystem?.metadata.uid);
    const found = await this.#living(tenants);
    return found.filter(({ cluster }) => id === undefined || cluster.id === id);
  }

  /** Until nothing is left, or nothing but time helps and there was enough of it: resolves to what is left. */
  async carryOut(done: (step: Removal) => void): Promise<readonly Removal[]> {
    const began = systemClock.monotonic();
    for (let limitMs = PATIENCE_MS; ; await systemClock.sleep(LOOK_MS)) {
      const steps = await this.look();
      const graces = steps.map(({ kind, object }) => (kind === 'Pod' ? podGraceMs(object as Pod) : 0));
      limitMs = Math.max(limitMs, PATIENCE_MS + Math.max(0, ...graces));
      await forEach(steps, AT_ONCE, async (step) => {
        if (step.do !== 'wait' && (await this.#take(step))) done(step);
      });
      if (steps.length === 0 || systemClock.monotonic() > began + limitMs) return steps;
    }
  }

  /** False: it is not what it was any more, and is looked at again. */
  async #take({ do: what, object }: Removal): Promise<boolean> {
    const { name, namespace = '' } = object.metadata;
    const type = typeOf(object);
    try {
      if (what === 'release') {
        const patch = { metadata: { ...identity(object), finalizers: withoutOurFinalizers(object.metadata) } };
        const options = { ...CALL, type: 'merge', fieldManager: fieldManagers.children } as const;
        await this.#client.patch(type, { name, namespace }, patch, options);
        return true;
      }
      const preconditions = { uid: object.metadata.uid ?? '' };
      const propagationPolicy = what === 'orphan' ? 'Orphan' : 'Background';
      return await this.#client.delete(type, { name, namespace }, { ...CALL, preconditions, propagationPolicy });
    } catch (error) {
      if (hasCode(error, 404) || hasCode(error, 409)) return false;
      throw error;
    }
  }

  #has(object: Child): boolean {
    return this.#extent.allTenants || tenantNamed(object) === this.#config.tenant;
  }

  /** None where the kind is not installed (any more). */
  async #list<T extends Child & KubeObject>(type: ChildType, labelSelector?: string): Promise<readonly T[]> {
    const { namespace } = this.#extent;
    const places = namespace === undefined ? this.#config.watchNamespaces : [namespace];
    const options = { ...CALL, ...(labelSelector !== undefined && { labelSelector }) };
    const lists = await Promise.all(
      (places.length === 0 ? [{}] : places.map((each) => ({ namespace: each }))).map((place) =>
        this.#client.list<T>(type, { ...options, ...place }).catch((error: unknown) => {
          if (hasCode(error, 404)) return { items: [] };
          throw error;
        }),
      ),
    );
    const { group, version, kind } = type;
    const named = { apiVersion: group === '' ? version : `${group}/${version}`, kind };
    return lists.flatMap(({ items }) => items.map((item) => ({ ...item, ...named })));
  }

  async #terminating(objects: readonly Child[]): Promise<ReadonlySet<string>> {
    const names = [...new Set(objects.map(({ metadata }) => metadata.namespace ?? ''))];
    const going = new Set<string>();
    await forEach(names, AT_ONCE, async (name) => {
      const found = await this.#client.get<KubeObject>(core.namespaces, { name }, CALL).catch(noRight);
      if (found?.metadata.deletionTimestamp !== undefined) going.add(name);
    });
    return going;
  }
}

const workloadTypes = customResources.map((each): ChildType => ({
  ...each,
  group: GROUP,
  version: VERSION,
  namespaced: true,
}));

function typeOf({ apiVersion, kind }: Child): ChildType {
  const found = apiVersion === API_VERSION ? workloadTypes.find((type) => type.kind === kind) : undefined;
  return found ?? childTypes.pods;
}

/** Whoever has it, else what its label says. */
function tenantNamed(object: Child): string {
  const { status } = object as Workload;
  return status?.controller?.tenant ?? tenantOf(object);
}

function noRight(error: unknown): undefined {
  if (!hasCode(error, 403)) throw error;
}
