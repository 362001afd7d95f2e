/**
 * Pods of an earlier instance that still run. A Deployment that is made anew knows nothing of them and starts its own at
 * once, so it is made when they have ended.
 */
import { childTypes } from '../api/children.ts';
import type { Pod } from '../api/kubernetes.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { isDeleting, isGone } from './gone.ts';
import { controllerOf } from './metadata.ts';

/**
 * The first such pod. One without a controller, or whose ReplicaSet has none, was left alone on purpose: a new Deployment
 * takes it over as it is. Throws what the client throws.
 */
export async function stillRunning(
  pods: readonly Pod[],
  client: ClusterClient,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  for (const pod of pods) {
    if (isGone(pod)) continue;
    if (isDeleting(pod)) return pod;
    const owner = controllerOf(pod);
    if (!owner) continue;
    const { namespace = '' } = pod.metadata;
    const found = await client.get(childTypes.replicaSets, { namespace, name: owner.name }, { signal });
    // Absent, or still owned: the garbage collector is about to remove it and its pods.
    if (!found || found.metadata.uid !== owner.uid || controllerOf(found)) return pod;
  }
  return undefined;
}
