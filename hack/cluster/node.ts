/** A real node: containerd, kubelet and kube-proxy in namespaces of its own. It can be killed and started like a machine. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCgroup, removeCgroup } from './cgroup.ts';
import { noteFolder } from './leftovers.ts';
import { inNamespace } from './network.ts';
import {
  containerdConfig,
  containerdSocket,
  kubeletConfig,
  podNetwork,
  registryMirror,
  type NodeSettings,
} from './node-config.ts';
import { RUNTIME } from './packages.ts';
import { startDetached, stopProcess, type ProcessRecord } from './processes.ts';

const PRIVATE_FOLDERS = ['/run/netns', '/run/containerd', '/var/log/containers', '/var/lib/cni', '/var/lib/kubelet'];

export interface RealNode extends NodeSettings {
  readonly clusterFolder: string;
  readonly controlPlane: string;
}

export function startNode(node: RealNode): ProcessRecord {
  writeNodeFiles(node);
  makeCgroup(node.cgroup);
  for (const folder of PRIVATE_FOLDERS) noteFolder(folder, true);
  const logs = join(node.clusterFolder, 'logs', node.name);
  mkdirSync(logs, { recursive: true });
  const env = {
    HOME: '/root',
    PATH:
      [RUNTIME.binaries, 'usr/sbin'].map((folder) => join(node.runtime, folder)).join(':') +
      ':/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TMPDIR: join(node.folder, 'tmp'),
    XTABLES_LOCKFILE: join(node.folder, 'xtables.lock'),
    PRIVATE_FOLDERS: PRIVATE_FOLDERS.join(' '),
    NODE: node.name,
    ADDRESS: node.address,
    PODS: node.pods,
    SOCKET: containerdSocket(node),
    NODE_FOLDER: node.folder,
    CLUSTER_FOLDER: node.clusterFolder,
    LOGS: logs,
    CONTROL_PLANE: node.controlPlane,
  };
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
  const command = inNamespace(node.cgroup, [...namespaces, join(import.meta.dirname, 'node-init.sh')]);
  return startDetached(command, join(logs, 'init.log'), env);
}

/** As if its plug were pulled. What a machine would lose goes too: sockets, and control groups. */
export async function killNode(
  node: Pick<NodeSettings, 'cgroup' | 'runFolder'>,
  process: ProcessRecord | undefined,
): Promise<void> {
  if (process) await stopProcess(process, 0);
  await removeCgroup(node.cgroup);
  rmSync(node.runFolder, { recursive: true, force: true });
}

function writeNodeFiles(node: RealNode): void {
  const write = (name: string, text: string): void => writeFileSync(join(node.folder, name), text);
  for (const folder of ['cni', 'registries/_default', 'plugins'])
    mkdirSync(join(node.folder, folder), { recursive: true });
  mkdirSync(node.runFolder, { recursive: true });
  write('containerd.toml', containerdConfig(node));
  write('registries/_default/hosts.toml', registryMirror(node));
  write('cni/10-pods.conflist', JSON.stringify(podNetwork(node)));
  write('kubelet.json', JSON.stringify(kubeletConfig(node), undefined, 2));
  write('resolv.conf', 'options ndots:1\n');
}
