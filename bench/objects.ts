/** A workload, and the very pod that the operator makes of it: what a raw client creates for comparison. */
import { labels } from '../operator/api/group.ts';
import type { Pod } from '../operator/api/kubernetes.ts';
import type { WorkloadProcess } from '../operator/api/process.ts';
import { desiredPod, parseSpec } from '../operator/workloads/process/desired.ts';

export const NAMESPACE = 'default';
/** No controller leads this tenant: its objects are the raw client's. */
export const RAW_TENANT = 'raw';

const SPEC = {
  image: 'busybox:latest',
  script: { commands: ['while true; do date; sleep 1; done'] },
  env: { NAME: 'bench', LEVEL: 'info' },
  resources: { cpuRequest: '10m', memoryRequest: '16Mi' },
};

export function workload(name: string, tenant: string): WorkloadProcess {
  return {
    metadata: { name, namespace: NAMESPACE, labels: { [labels.tenant]: tenant } },
    spec: SPEC,
  };
}

/** Without the finalizer, which only the operator would take off again. */
export function equivalentPod(owner: WorkloadProcess, name = owner.metadata.name): Pod {
  const place = { tenant: RAW_TENANT, clusterName: 'bench' };
  const { object } = desiredPod(owner.metadata, parseSpec(owner.spec), place, { term: 1, generation: 1 });
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, name: `${name}-pod` } };
}
