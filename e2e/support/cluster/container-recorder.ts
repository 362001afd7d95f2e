/** Keeps what kubelets said of containers, also of pods that have gone since, and while the cluster is cut off. */

import { createInterface } from 'node:readline';
import { watchPodsInside } from '../../../hack/cluster/inside.ts';
import { exact, matches, readPod, type ContainerTime, type PodFilter, type PodObject } from './container-times.ts';

export interface ContainerRecorder {
  /** All runs seen so far, oldest first. */
  times(filter?: PodFilter): ContainerTime[];
  stop(): void;
}

/** Returns when the first list is in: nothing that starts after that is missed. */
export async function recordContainers(cluster: string, namespace: string): Promise<ContainerRecorder> {
  const child = watchPodsInside(cluster, namespace);
  if (!child.stdout) throw new Error('the watch has no output');
  const pods = new Map<string, PodObject>();
  const runs = new Map<string, ContainerTime>();
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((synced, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`the watch of ${cluster} ended with ${code}`)));
    lines.on('line', (line) => {
      const { type, object } = JSON.parse(line) as { type: string; object?: PodObject };
      if (type === 'SYNCED') synced();
      if (!object || type === 'BOOKMARK' || type === 'ERROR') return;
      pods.set(object.metadata.uid, object);
      for (const run of readPod(object)) runs.set(`${run.uid} ${run.container} ${run.containerId}`, run);
    });
  });
  return {
    times(filter = {}) {
      const wanted = [...runs.values()].filter(({ uid }) => {
        const pod = pods.get(uid);
        return pod !== undefined && matches(pod, filter);
      });
      return exact(cluster, wanted).toSorted((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
    },
    stop() {
      child.removeAllListeners('exit');
      child.kill();
    },
  };
}
