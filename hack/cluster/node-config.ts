/** Configuration of a node's programs. JSON where a program reads YAML: it is YAML too. */

import { join } from 'node:path';
import { cgroupVersion } from './cgroup.ts';
import { mayLowerOomScore } from './machine.ts';
import { RUNTIME } from './packages.ts';
import { PAUSE_IMAGE } from './test-images.ts';

export interface NodeSettings {
  readonly name: string;
  readonly address: string;
  /** The node's folder, for all that is kept while it is stopped. */
  readonly folder: string;
  /** Sockets: their paths must be short. */
  readonly runFolder: string;
  /** The cluster's keys and certificates. */
  readonly pki: string;
  /** Also the name of the node's network namespace. */
  readonly cgroup: string;
  readonly pods: string;
  readonly runtime: string;
  /** host:port of the registry that serves every image. */
  readonly registry: string;
}

export function containerdSocket(node: NodeSettings): string {
  return join(node.runFolder, 'containerd.sock');
}

export function containerdConfig(node: NodeSettings): string {
  const unused = [
    'snapshotter.v1.btrfs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.aufs',
    'snapshotter.v1.devmapper',
    'internal.v1.opt',
  ];
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${node.folder}/containerd"
state = "${node.runFolder}/containerd"
disabled_plugins = ${JSON.stringify([...unused, 'internal.v1.tracing', 'tracing.processor.v1.otlp'].map((name) => `io.containerd.${name}`))}
[grpc]
address = "${containerdSocket(node)}"
[${cri}]
sandbox_image = "${PAUSE_IMAGE}"
restrict_oom_score_adj = ${!mayLowerOomScore()}
[${cri}.registry]
config_path = "${node.folder}/registries"
[${cri}.containerd]
snapshotter = "overlayfs"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
BinaryName = "${join(node.runtime, RUNTIME.runc)}"
SystemdCgroup = false
[${cri}.cni]
bin_dir = "${join(node.runtime, RUNTIME.cni)}"
conf_dir = "${node.folder}/cni"
`;
}

/** `server` too: an image that is not there must fail at once, not after a try to reach its real registry. */
export function registryMirror(node: NodeSettings): string {
  return `server = "http://${node.registry}"\n[host."http://${node.registry}"]\ncapabilities = ["pull", "resolve"]\n`;
}

export function podNetwork(node: NodeSettings): object {
  const ipam = {
    type: 'host-local',
    dataDir: `${node.folder}/addresses`,
    ranges: [[{ subnet: node.pods }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

export function kubeletConfig(node: NodeSettings): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    healthzBindAddress: '127.0.0.1',
    // By certificate only: it answers also while its API server does not, which is when a test wants to know.
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: join(node.pki, 'ca.crt') },
    },
    authorization: { mode: 'AlwaysAllow' },
    tlsCertFile: join(node.pki, `${node.name}.crt`),
    tlsPrivateKeyFile: join(node.pki, `${node.name}.key`),
    containerRuntimeEndpoint: `unix://${containerdSocket(node)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.cgroup}`,
    ...(cgroupVersion() === 1 ? { failCgroupV1: false } : {}),
    enforceNodeAllocatable: ['pods'],
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    registryPullQPS: 0,
    maxPods: 240,
    clusterDomain: 'cluster.local',
    resolvConf: join(node.folder, 'resolv.conf'),
    podLogsDir: join(node.folder, 'pods'),
    volumePluginDir: join(node.folder, 'plugins'),
    // A dead node is noticed within seconds.
    nodeStatusUpdateFrequency: '1s',
    nodeLeaseDurationSeconds: 4,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
  };
}
