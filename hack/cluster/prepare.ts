/** Everything that takes long, once per machine: later starts find it in the cache. */

import { controlPlaneBinary, controlPlanePath } from './build.ts';
import type { Programs } from './control-plane.ts';
import { namespaceRefusal, realNodeRefusal } from './machine.ts';
import { containerRuntime, install, installTools } from './packages.ts';
import { say } from './progress.ts';
import { isExecutable, which } from './shell.ts';
import { exampleImages } from './test-images.ts';
import { join } from 'node:path';

export interface Means {
  readonly programs: Programs;
  readonly namespaces: boolean;
  readonly realNodes: boolean;
}

export async function prepare(signal?: AbortSignal): Promise<void> {
  await findMeans(false, signal);
}

/** What clusters will be made of here: says why, where that is less than asked for. */
export async function findMeans(simulated: boolean, signal?: AbortSignal): Promise<Means> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const refusal = simulated || assets ? undefined : await realNodeRefusal();
  if (refusal !== undefined) say(`simulated nodes instead of real ones: ${refusal}`);
  const realNodes = !simulated && !assets && refusal === undefined;
  const namespaces = realNodes || (await canMakeNamespaces());
  if (realNodes) {
    await installTools();
    await exampleImages(await containerRuntime());
  }
  signal?.throwIfAborted();
  const programs = assets ? assetPrograms(assets) : ownPrograms(await controlPlaneBinary(signal));
  signal?.throwIfAborted();
  return { programs, namespaces, realNodes };
}

async function canMakeNamespaces(): Promise<boolean> {
  if ((await namespaceRefusal()) !== undefined) return false;
  if (!which('ip') && which('apt-get')) await install({ ip: 'iproute2' });
  return which('ip') !== undefined;
}

function ownPrograms(binary: string): Programs {
  const servers = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
  return Object.fromEntries(servers.map((server) => [server, [binary, server]]));
}

/** A folder as controller tests have it: etcd and kube-apiserver, which is enough for objects but not for pods. */
function assetPrograms(folder: string): Programs {
  const path = (name: string): string => join(folder, name);
  const missing = ['etcd', 'kube-apiserver'].filter((name) => !isExecutable(path(name)));
  if (missing.length > 0)
    throw new Error(`KUBEBUILDER_ASSETS is ${folder}, which lacks ${missing.join(' and ')}: correct it or unset it`);
  const own = controlPlanePath();
  const others = ['kube-controller-manager', 'kube-scheduler'] as const;
  const found = others.filter((name) => isExecutable(path(name)) || isExecutable(own));
  if (found.length === 0)
    say(`${folder} has no kube-controller-manager and no kube-scheduler: objects are kept, but no pod will run`);
  return {
    etcd: [path('etcd')],
    'kube-apiserver': [path('kube-apiserver')],
    ...Object.fromEntries(found.map((name) => [name, isExecutable(path(name)) ? [path(name)] : [own, name]])),
  };
}
