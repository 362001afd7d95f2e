/** The Node object of a fake kubelet, and its signs of life. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type ApiClient } from './api.ts';
import { seconds } from './fake-pod.ts';

const CAPACITY = { cpu: '1000', memory: '4000Gi', pods: '5000', 'ephemeral-storage': '1000Gi' };
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** Within the 4 s that real nodes have too: silence must be noticed as fast. */
const BEAT_MS = 1000;

/** Registers the node; returns when the API server has accepted it. */
export async function bootNode(api: ApiClient, name: string, onError: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      await createUnlessThere(api, '/api/v1/nodes', nodeObject(name));
      await createUnlessThere(api, LEASES, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name },
        spec: { holderIdentity: name },
      });
      await beat(api, name);
      return;
    } catch (error) {
      onError(error);
      await sleep(200);
    }
  }
}

export function keepAlive(api: ApiClient, name: string, onError: (error: unknown) => void): void {
  const again = async (): Promise<void> => {
    for (;;) {
      await sleep(BEAT_MS);
      // Somebody deleted the node: a kubelet registers again.
      await beat(api, name).catch((error: unknown) =>
        error instanceof ApiError && error.status === 404 ? bootNode(api, name, onError) : onError(error),
      );
    }
  };
  void again();
}

async function beat(api: ApiClient, name: string): Promise<void> {
  const contentType = 'application/merge-patch+json';
  const renewTime = new Date().toISOString().replace('Z', '000Z'); // microseconds
  await api.request('PATCH', `${LEASES}/${name}`, {
    body: { spec: { renewTime, leaseDurationSeconds: 4 } },
    contentType,
    timeoutMs: 3000,
  });
  await api.request('PATCH', `/api/v1/nodes/${name}/status`, {
    body: { status: nodeStatus(name) },
    contentType,
    timeoutMs: 3000,
  });
}

async function createUnlessThere(api: ApiClient, path: string, body: object): Promise<void> {
  await api.request('POST', path, { body }).catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  });
}

function nodeObject(name: string): object {
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    type: 'simulated',
  };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
}

function nodeStatus(name: string): object {
  const time = seconds(new Date());
  const software = ['kubeletVersion', 'osImage', 'kernelVersion', 'containerRuntimeVersion', 'kubeProxyVersion'];
  return {
    capacity: CAPACITY,
    allocatable: CAPACITY,
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address: '127.0.0.1' },
    ],
    nodeInfo: {
      ...Object.fromEntries(software.map((key) => [key, 'fake://0'])),
      ...Object.fromEntries(['machineID', 'systemUUID', 'bootID'].map((key) => [key, name])),
      architecture: 'amd64',
      operatingSystem: 'linux',
    },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Simulated',
        message: '',
        lastHeartbeatTime: time,
        lastTransitionTime: time,
      },
    ],
  };
}
