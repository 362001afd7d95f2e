/** One cluster, as a test handles it. */

import { join } from 'node:path';
import { auditLog } from '../../../hack/cluster/audit-policy.ts';
import { down } from '../../../hack/cluster/down.ts';
import { requestInside } from '../../../hack/cluster/inside.ts';
import * as parts from '../../../hack/cluster/parts.ts';
import { clusterFolder, kubeconfigPath } from '../../../hack/cluster/paths.ts';
import { findMeans } from '../../../hack/cluster/prepare.ts';
import { signal } from '../../../hack/cluster/processes.ts';
import { serveTestImage } from '../../../hack/cluster/registry.ts';
import { up } from '../../../hack/cluster/up.ts';
import { readAuditLog, type AuditEvent } from './audit.ts';
import { recordContainers, type ContainerRecorder } from './container-recorder.ts';
import { containerTimes, type ContainerTime, type PodFilter } from './container-times.ts';

export interface ClusterOptions {
  /** A cluster of this name that is already up is used as it is. */
  readonly name?: string;
  readonly nodes?: number;
  /** Nodes that only say that pods run: for large numbers of pods. */
  readonly simulated?: boolean;
  readonly signal?: AbortSignal;
}

export interface Cluster {
  readonly name: string;
  readonly kubeconfigPath: string;
  /** URL of the API server, as processes on the host reach it; pods use the usual service. */
  readonly server: string;
  readonly nodes: readonly string[];
  /** False where nodes are simulated, asked for or not: no logs, no exec, no cutting of cables. */
  readonly real: boolean;
  /** Was it up before this test? Then leave it up. */
  readonly reused: boolean;
  /** Logs of all servers, each node's in a folder of its own. */
  readonly logs: string;

  /** Ends it and removes every trace. */
  stop(): Promise<void>;
  /** Pulls a node's plug: kubelet and all containers end at once. Returns when they have. */
  stopNode(name: string): Promise<void>;
  /** Returns when the node is Ready. */
  startNode(name: string): Promise<void>;
  /** Kills the API server; etcd and pods go on. */
  stopApiServer(): Promise<void>;
  /** Returns when it answers. */
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** It accepts connections and answers none of them. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** From the host and from other clusters; inside, it goes on. */
  cutOff(): Promise<void>;
  reconnect(): Promise<void>;
  /** Cuts one node off from its own control plane and the other nodes. */
  cutOffNode(name: string): Promise<void>;
  reconnectNode(name: string): Promise<void>;
  /** Serves a small test image (busybox, idle unless given a command) under these names. */
  serveImages(...names: string[]): Promise<void>;

  /** Asks the API server as administrator, from inside: also while the cluster is cut off. */
  request<T>(method: string, path: string, body?: unknown): Promise<T>;
  auditEvents(): Promise<AuditEvent[]>;
  containerTimes(namespace: string, filter?: PodFilter): Promise<ContainerTime[]>;
  recordContainers(namespace: string): Promise<ContainerRecorder>;
}

/** Throws with the reason and the last log lines. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { name = 'test', nodes = 1, simulated = false, signal: abort } = options;
  const means = await findMeans(simulated, abort);
  const outcome = await up({ name, nodes, ...means, simulated: !means.realNodes, ...(abort ? { signal: abort } : {}) });
  return handle(name, outcome !== 'started');
}

function handle(name: string, reused: boolean): Cluster {
  const state = parts.mustRead(name);
  const apiServer = (): ReturnType<typeof parts.startServer> => parts.startServer(name, 'kube-apiserver');
  const startApiServer = async (): Promise<void> => {
    apiServer();
    await parts.apiServerAnswers(name);
    // Elsewhere they elect a leader, end when it cannot renew, and are started anew; as they are they back off for minutes.
    for (const server of ['kube-scheduler', 'kube-controller-manager'] as const) {
      await parts.stopServer(name, server);
      parts.startServer(name, server);
    }
  };
  const stopApiServer = (): Promise<void> => parts.stopServer(name, 'kube-apiserver');
  return {
    name,
    kubeconfigPath: kubeconfigPath(name),
    server: state.server,
    nodes: state.nodes.map((node) => node.name),
    real: !state.simulated,
    reused,
    logs: join(clusterFolder(name), 'logs'),
    stop: () => down(name),
    stopNode: (node) => parts.stopNodeProcess(name, node),
    startNode: async (node) => {
      await parts.startNodeProcess(name, node);
      await parts.nodeIsReady(name, node);
    },
    stopApiServer,
    startApiServer,
    restartApiServer: async () => {
      await stopApiServer();
      apiServer();
      await parts.apiServerAnswers(name);
    },
    pauseApiServer: () => signal(apiServer(), 'SIGSTOP'),
    resumeApiServer: () => signal(apiServer(), 'SIGCONT'),
    cutOff: () => parts.setClusterLink(name, false),
    reconnect: () => parts.setClusterLink(name, true),
    cutOffNode: (node) => parts.setNodeLink(name, node, false),
    reconnectNode: (node) => parts.setNodeLink(name, node, true),
    serveImages: (...names) => serveTestImage(names),
    request: (method, path, body) => requestInside(name, method, path, body),
    auditEvents: async () => readAuditLog(auditLog(clusterFolder(name))),
    containerTimes: (namespace, filter) => containerTimes(name, namespace, filter),
    recordContainers: (namespace) => recordContainers(name, namespace),
  };
}
