/** The tenant's workloads in this cluster, to be stopped; with the API server as witness that nothing more starts. */
import { annotations } from '../api/group.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { CallOptions } from '../cluster/cluster-client.ts';
import type { FenceState } from '../cluster/fence.ts';
import { Fence } from '../cluster/fence.ts';
import type { Workloads } from '../leadership/ports.ts';
import { messageOf } from '../lib/errors.ts';
import type { AwaitedPodsOptions } from '../reconcile/awaited-pods.ts';
import { workloadNamed } from '../reconcile/parking.ts';
import { Refusals } from '../reconcile/refusals.ts';
import { VanishedPods } from '../reconcile/vanished.ts';
import { TenantWorkloads } from '../reconcile/tenant-workloads.ts';
import type { Base } from '../context.ts';
import type { Watched } from '../cluster/namespaces.ts';
import type { TenantObjects } from '../cluster/tenant-objects.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import type { ClusterRef } from '../leadership/lease-record.ts';
import { customResourceOf } from '../cluster/owners.ts';

/** The workloads, and what is known of those that have not stopped. */
export interface WorkloadStopper extends Workloads {
  /** Workloads of which something ran at the last look; undefined: nobody has looked. */
  readonly notGone: readonly string[] | undefined;
  /** Why the API server did not let them be stopped, when that was tried last: by kind and name. */
  readonly refused: ReadonlyMap<string, string>;
  /**
   * While several clusters share the tenant, asks now and then whether permits are enforced, says what is new, and notes
   * which pods may vanish unseen; hears of the nodes of pods whose objects went without their kubelet's word, until it is
   * known that they have ended.
   */
  watch(stopping: AbortSignal): Promise<void>;
}

/** Where it sees what runs. */
export interface StopperParts {
  readonly cluster: ClusterRef;
  /** The tenant's, of which a change is worth another look. */
  readonly objects: Pick<TenantObjects, 'version' | 'change'>;
  readonly pods: Watched<Pod>;
  /** Custom resources, of each kind. */
  readonly sources: readonly Watched<KubeObject>[];
}

const ASK_MS = 60_000;
/** Between two looks at the nodes of pods that vanished: as often as kubelets say that they live. */
const HEAR_MS = 10_000;
/** Longest until a pod is noted that may vanish unseen. Milliseconds. */
const NOTE_MS = 5000;

/** `isShared`: whether several clusters share the tenant. */
export function workloadStopper(
  base: Base,
  { objects, cluster, pods, sources }: StopperParts,
  isShared: () => boolean,
): WorkloadStopper {
  const { config, clock, client, metrics } = base;
  const fence = new Fence({
    client,
    tenant: config.tenant,
    namespace: config.watchNamespaces[0] ?? config.namespace,
    onChange(state) {
      metrics.fence(cluster.name, state === 'enforced');
      say(state, base);
    },
  });
  const vanished = new VanishedPods();
  const refusals = new Refusals();
  const all = allWorkloads(base, { pods, sources, vanished, isShared, refusals }, (call) => fence.closed(call));
  let notGone: readonly string[] | undefined;
  let lookedAt = -1;
  let tookMs = 0;
  return {
    get notGone() {
      return notGone;
    },
    get refused() {
      return refusals.last;
    },
    park: (call) => refusals.during(() => all.park(call)),
    probe: async (call) => void (await fence.ask(call)),
    hasChanged: () => objects.version !== lookedAt,
    async running(call) {
      const began = clock.monotonic();
      lookedAt = objects.version;
      notGone = await all.running(call);
      tookMs = clock.monotonic() - began;
      return notGone;
    },
    // Where a look takes long, there is at least as long a pause between two.
    async change(ms) {
      await Promise.race([clock.sleep(ms), Promise.all([objects.change(), clock.sleep(tookMs)])]);
    },
    async watch(stopping) {
      await Promise.all([askFence(base, fence, isShared, stopping), hearNodes(base, all, vanished, stopping)]);
    },
  };
}

async function askFence(
  { clock, logger, config }: Base,
  fence: Fence,
  isShared: () => boolean,
  stopping: AbortSignal,
): Promise<void> {
  let askedAt = -Infinity;
  while (!stopping.aborted) {
    if (isShared() && clock.monotonic() - askedAt > ASK_MS) {
      askedAt = clock.monotonic();
      await fence.ask({ signal: stopping }).catch((error: unknown) => {
        logger.debug('Failed to check whether the API server enforces permits', { error: messageOf(error) });
      });
    }
    await clock.sleep(config.lease.retryPeriodMs, stopping).catch(() => {});
  }
}

/** What was noted before this process was started is awaited, too. */
async function hearNodes(
  { clock, logger, config }: Base,
  all: TenantWorkloads,
  vanished: VanishedPods,
  stopping: AbortSignal,
): Promise<void> {
  const call = { signal: stopping, timeoutMs: config.lease.retryPeriodMs };
  let heardAt = -Infinity;
  while (!stopping.aborted) {
    const isDue = clock.monotonic() >= heardAt + HEAR_MS;
    if (heardAt === -Infinity || (isDue && vanished.pods.length > 0) || all.hasNews) {
      heardAt = clock.monotonic();
      await all.awaited(call).catch((error: unknown) => {
        logger.debug('Failed to query the nodes of removed pods', { error: messageOf(error) });
      });
    }
    await clock.sleep(NOTE_MS, stopping).catch(() => {});
  }
}

function say(state: FenceState, { logger }: Base): void {
  if (state === 'enforced') return logger.info('Verified that the API server enforces permits');
  logger.warn('The API server did not enforce permits: a late write could start a second instance', {
    fix: 'highlander admission | kubectl apply -f -',
  });
}

function allWorkloads(
  { config, clock, client, logger }: Base,
  {
    pods,
    sources,
    vanished,
    isShared,
    refusals,
  }: Pick<StopperParts, 'pods' | 'sources'> &
    Pick<AwaitedPodsOptions, 'vanished' | 'isShared'> & { readonly refusals: Refusals },
  fenced: (call: CallOptions) => Promise<void>,
): TenantWorkloads {
  const { tenant, namespace, watchNamespaces } = config;
  pods.subscribe(({ type, object }) => {
    if (type === 'deleted') vanished.went(object);
  });
  const confirmed = (pod: Pod): string | undefined =>
    customResourceOf(pod, sources)?.metadata.annotations?.[annotations.confirmStopped];
  return new TenantWorkloads({
    client,
    tenant,
    namespace,
    watchNamespaces,
    maxGraceMs: config.maxGracePeriodMs,
    onRefused: (found, because) => refusals.add(workloadNamed(found), because),
    fenced,
    vanished,
    pods,
    isShared,
    confirmed,
    clock,
    logger,
  });
}
