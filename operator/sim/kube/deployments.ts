/** Deployments and ReplicaSets, with the strategy Recreate. */
import { childTypes } from '../../api/children.ts';
import type { KubeObject } from '../../cluster/cluster-client.ts';
import { stableHash } from '../../reconcile/metadata.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Json, Stored } from '../api/json.ts';
import { asJson } from '../api/json.ts';
import type { Ground } from './loop.ts';
import {
  controlledBy,
  dependentsOf,
  isActive,
  isFinal,
  isReady,
  KUBERNETES,
  ofType,
  podFrom,
  remove,
  startLoop,
  writeStatus,
} from './loop.ts';

const { deployments, replicaSets, pods } = childTypes;

/** Starts the controllers of Deployments and ReplicaSets. */
export function startDeployments(ground: Ground): void {
  const { server } = ground;
  startLoop({
    ground,
    concerns: (change) => ofType(deployments, change),
    sync(at) {
      const live = server.get(deployments, at);
      if (live && !live.metadata.deletionTimestamp) return syncDeployment(ground, live);
    },
  });
  startLoop({
    ground,
    concerns: (change) => ofType(replicaSets, change),
    sync(at) {
      const live = server.get(replicaSets, at);
      if (live && !live.metadata.deletionTimestamp) syncReplicaSet(ground, live);
    },
  });
}

function syncDeployment({ server }: Ground, live: Stored): number | void {
  const spec = asJson(live.spec);
  const sets = dependentsOf(server, replicaSets, live);
  const name = `${live.metadata.name}-${stableHash(spec['template']).slice(0, 8)}`;
  const current = sets.find(({ metadata }) => metadata.name === name);
  const others = sets.filter((set) => set !== current);
  for (const set of others) scale(server, set, 0);
  const left = others.flatMap((set) => dependentsOf(server, pods, set)).filter((pod) => !isFinal(pod)); // also those that end
  const wanted = Number(spec['replicas'] ?? 1);
  if (left.length === 0 || wanted === 0) {
    if (current) scale(server, current, wanted);
    else if (wanted > 0) server.create(replicaSets, newSet(live, name, wanted), KUBERNETES);
  }
  const all = sets.flatMap((set) => dependentsOf(server, pods, set)).filter(isActive);
  const mine = current ? dependentsOf(server, pods, current).filter(isActive) : [];
  const failure = sets.flatMap((set) => (asJson(set.status)['conditions'] as Json[] | undefined) ?? []);
  const status = {
    observedGeneration: live.metadata.generation,
    replicas: all.length,
    updatedReplicas: mine.length,
    readyReplicas: all.filter(isReady).length,
    availableReplicas: all.filter(isReady).length,
    conditions: failure.length > 0 ? failure : null,
  };
  writeStatus(server, deployments, live, status);
  return left.length > 0 ? 500 : undefined;
}

function newSet(owner: Stored, name: string, replicas: number): KubeObject {
  const { selector, template } = asJson(owner.spec);
  const { namespace, labels } = owner.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      labels: asJson(asJson(asJson(template)['metadata'])['labels'] ?? labels),
      ownerReferences: controlledBy(owner),
    },
    spec: { replicas, selector, template },
  } as KubeObject;
}

function scale(server: Ground['server'], set: Stored, replicas: number): void {
  if (set.spec?.['replicas'] !== replicas) server.patch(replicaSets, set.metadata, { spec: { replicas } }, KUBERNETES);
}

/** A pod that ends counts no more: the next one is made beside it. */
function syncReplicaSet({ server, world }: Ground, live: Stored): void {
  const wanted = Number(live.spec?.['replicas'] ?? 1);
  const mine = dependentsOf(server, pods, live);
  const active = mine.filter(isActive);
  const say = (more: object) => {
    const status = { observedGeneration: live.metadata.generation, replicas: active.length, conditions: null, ...more };
    writeStatus(server, replicaSets, live, status);
  };
  for (const pod of active.slice(wanted)) remove(server, pods, pod);
  for (let missing = wanted - active.length; missing > 0; missing--) {
    const suffix = Math.floor(world.chance.between(0, 36 ** 5)).toString(36);
    try {
      server.create(pods, podFrom(live, live.spec?.['template'], `${live.metadata.name}-${suffix}`), KUBERNETES);
    } catch (error) {
      if (error instanceof ApiError)
        say({
          conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: error.message }],
        });
      throw error;
    }
  }
  say({});
}
