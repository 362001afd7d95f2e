/** Parts of a running cluster that can be stopped and started one by one. */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from './api.ts';
import { SERVERS, type Server } from './control-plane.ts';
import { nodeRunFolder, realNode } from './layout.ts';
import { inNamespace, setLink } from './network.ts';
import { killNode, startNode } from './node.ts';
import { containerRuntime } from './packages.ts';
import { clusterFolder, kubeconfigPath } from './paths.ts';
import { assertAlive, isAlive, startDetached, stopProcess, type ProcessRecord } from './processes.ts';
import { readState, recordProcess, updateState, type ClusterState, type NodeState } from './state.ts';
import { waitFor } from './wait.ts';

export function mustRead(name: string): ClusterState {
  return updateState(name, () => ({}));
}

/** The command line is the one that it had before. */
export function startServer(name: string, server: Server): ProcessRecord {
  const record = mustRead(name).processes[server];
  if (!record) throw new Error(`cluster ${name} has no ${server}`);
  return isAlive(record) ? record : recordProcess(name, server, startDetached(record.command, record.log));
}

/** Killed, unless it is given time to end. */
export async function stopServer(name: string, server: Server, graceMs = 0): Promise<void> {
  const record = mustRead(name).processes[server];
  if (record) await stopProcess(record, graceMs);
}

export async function apiServerAnswers(name: string, timeoutMs = 60_000, signal?: AbortSignal): Promise<void> {
  const client = ApiClient.fromKubeconfig(kubeconfigPath(name));
  try {
    await waitFor(`the API server of ${name}`, () => probe(name, client), { timeoutMs, signal });
  } finally {
    client.close();
  }
}

async function probe(name: string, client: ApiClient): Promise<true> {
  const { processes } = mustRead(name);
  for (const server of ['etcd', 'kube-apiserver']) if (processes[server]) assertAlive(server, processes[server]);
  await client.request('GET', '/readyz', { timeoutMs: 2000 });
  return true;
}

/** Starts the node's program, real or simulated. */
export async function startNodeProcess(name: string, nodeName: string): Promise<void> {
  const state = mustRead(name);
  const node = findNode(state, nodeName);
  const running = state.processes[nodeName];
  if (running && isAlive(running)) return;
  const process =
    node.namespace === undefined ? startFake(state, node) : startNode(realNode(state, node, await containerRuntime()));
  recordProcess(name, nodeName, process);
  setStopped(name, nodeName, false);
}

export async function stopNodeProcess(name: string, nodeName: string): Promise<void> {
  const state = mustRead(name);
  const { namespace } = findNode(state, nodeName);
  const process = state.processes[nodeName];
  setStopped(name, nodeName, true);
  if (namespace === undefined) return process && stopProcess(process, 0);
  await killNode({ cgroup: namespace, runFolder: nodeRunFolder(namespace) }, process);
  noteNodeDeath(name, nodeName);
}

export function eventLog(name: string, nodeName: string): string {
  return join(clusterFolder(name), 'logs', nodeName, 'events.log');
}

/** Nobody in a killed node is left to tell when its containers ended. In the form of the lines around it. */
function noteNodeDeath(name: string, nodeName: string): void {
  const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
  appendFileSync(eventLog(name, nodeName), `\n${time} +0000 UTC k8s.io /node/killed {}\n`);
}

function startFake(state: ClusterState, node: NodeState): ProcessRecord {
  const script = join(import.meta.dirname, '../fake-kubelet.ts');
  const command = [process.execPath, script, '--kubeconfig', kubeconfigPath(state.name), '--node', node.name];
  return startDetached(
    inNamespace(state.namespace, command),
    join(clusterFolder(state.name), 'logs', node.name, 'kubelet.log'),
  );
}

interface NodeObject {
  readonly status?: { readonly conditions?: ReadonlyArray<{ readonly type: string; readonly status: string }> };
}

export async function nodeIsReady(
  name: string,
  nodeName: string,
  timeoutMs = 60_000,
  signal?: AbortSignal,
): Promise<void> {
  const client = ApiClient.fromKubeconfig(kubeconfigPath(name));
  const probeNode = async (): Promise<boolean> => {
    const process = mustRead(name).processes[nodeName];
    if (process) assertAlive(nodeName, process);
    const node = await client.find<NodeObject>(`/api/v1/nodes/${nodeName}`);
    return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  };
  try {
    await waitFor(`${nodeName} of ${name} to be Ready`, probeNode, { timeoutMs, signal });
  } finally {
    client.close();
  }
}

/** Cuts the cluster off from the host and from other clusters; inside, it goes on. */
export async function setClusterLink(name: string, up: boolean): Promise<void> {
  const { link } = mustRead(name);
  if (link === undefined)
    throw new Error(`cluster ${name} runs on loopback and cannot be cut off: that needs Linux and root`);
  await setLink(undefined, link, up);
}

/** Cuts a real node off from its own control plane and from all others. */
export async function setNodeLink(name: string, nodeName: string, up: boolean): Promise<void> {
  const state = mustRead(name);
  if (findNode(state, nodeName).namespace === undefined)
    throw new Error(`${nodeName} of ${name} is simulated and has no cable`);
  await setLink(state.namespace, nodeName, up);
}

export function findNode(state: ClusterState, nodeName: string): NodeState {
  const node = state.nodes.find((each) => each.name === nodeName);
  if (!node)
    throw new Error(
      `cluster ${state.name} has no ${nodeName}, only ${state.nodes.map((each) => each.name).join(', ')}`,
    );
  return node;
}

function setStopped(name: string, nodeName: string, stopped: boolean): void {
  updateState(name, ({ nodes }) => ({
    nodes: nodes.map((node) => (node.name === nodeName ? { ...node, stopped } : node)),
  }));
}

/** Names of what should run and does not. */
export function deadParts(name: string): string[] {
  const state = readState(name);
  if (!state) return [];
  const stopped = new Set(state.nodes.filter((node) => node.stopped).map((node) => node.name));
  return Object.entries(state.processes)
    .filter(([part, record]) => !stopped.has(part) && !isAlive(record))
    .map(([part]) => part);
}

export function isServer(part: string): part is Server {
  return (SERVERS as readonly string[]).includes(part);
}
