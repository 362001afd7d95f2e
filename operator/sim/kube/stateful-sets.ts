/** StatefulSets: a pod for each number, the next one only when its name is free. */
import { childTypes } from '../../api/children.ts';
import { stableHash } from '../../reconcile/metadata.ts';
import type { Stored } from '../api/json.ts';
import { asJson } from '../api/json.ts';
import type { Ground } from './loop.ts';
import {
  dependentsOf,
  isActive,
  isReady,
  isFinal,
  KUBERNETES,
  ofType,
  podFrom,
  remove,
  startLoop,
  writeStatus,
} from './loop.ts';

const { statefulSets, pods } = childTypes;
const REVISION = 'controller-revision-hash';

/** Starts the controller of StatefulSets. */
export function startStatefulSets(ground: Ground): void {
  const { server } = ground;
  startLoop({
    ground,
    concerns: (change) => ofType(statefulSets, change),
    sync(at) {
      const live = server.get(statefulSets, at);
      if (!live || live.metadata.deletionTimestamp) return;
      const revision = stableHash(asJson(live.spec)['template']).slice(0, 10);
      try {
        bringUp(ground, live, revision);
      } finally {
        report(ground, live, revision);
      }
    },
  });
}

function bringUp({ server }: Ground, live: Stored, revision: string): void {
  const wanted = Number(live.spec?.['replicas'] ?? 1);
  const mine = dependentsOf(server, pods, live);
  const named = new Map(mine.map((pod) => [pod.metadata.name, pod]));
  const names = Array.from({ length: wanted }, (_, i) => `${live.metadata.name}-${i}`);
  for (const pod of mine.filter(isActive)) if (!names.includes(pod.metadata.name)) remove(server, pods, pod);
  for (const name of names) {
    const pod = named.get(name);
    if (!pod) server.create(pods, podFrom(live, live.spec?.['template'], name, { [REVISION]: revision }), KUBERNETES);
    else if (!pod.metadata.deletionTimestamp && mustBeReplaced(pod, revision)) remove(server, pods, pod);
  }
}

function mustBeReplaced(pod: Stored, revision: string): boolean {
  return isFinal(pod) || (pod.metadata.labels?.[REVISION] !== revision && isReady(pod));
}

function report({ server }: Ground, live: Stored, revision: string): void {
  const mine = dependentsOf(server, pods, live);
  const ready = mine.filter(isReady).length;
  writeStatus(server, statefulSets, live, {
    observedGeneration: live.metadata.generation,
    replicas: mine.length,
    updatedReplicas: mine.filter(({ metadata }) => metadata.labels?.[REVISION] === revision).length,
    readyReplicas: ready,
    availableReplicas: ready,
    updateRevision: revision,
  });
}
