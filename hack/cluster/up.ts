/** Starts a cluster: from nothing, or what is missing of it. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from './api.ts';
import { writeAuditPolicy } from './audit-policy.ts';
import { freePorts, serverFlags, USUAL_PORTS, type Programs, type Server } from './control-plane.ts';
import { downLocked } from './down.ts';
import { checkWish, controlPlane, newState, nodeCable, type Wish } from './layout.ts';
import { writeIdentities } from './identities.ts';
import { withLock } from './lock.ts';
import { connectCluster, connectNode, inNamespace, makeBridge, routePods } from './network.ts';
import { apiServerAnswers, deadParts, isServer, nodeIsReady, startNodeProcess, startServer } from './parts.ts';
import { CHECKOUT, kubeconfigPath, shortHash } from './paths.ts';
import { startDetached } from './processes.ts';
import { startRegistry } from './registry.ts';
import { listStates, readState, recordProcess, updateState, writeState, type ClusterState } from './state.ts';
import { claimSlot, MAX_CLUSTERS } from './subnet.ts';
import { waitFor } from './wait.ts';

export interface UpOptions extends Wish {
  readonly programs: Programs;
  /** False: all on loopback, because the machine allows nothing else. */
  readonly namespaces: boolean;
  readonly signal?: AbortSignal;
}

export type Outcome = 'started' | 'already up' | 'repaired';

/** When it throws, nothing is left of what it started. */
export async function up(options: UpOptions): Promise<Outcome> {
  checkWish(options);
  return withLock(`cluster-${shortHash(CHECKOUT, options.name)}`, async () => {
    const state = readState(options.name);
    if (state?.ready && isWhole(state)) {
      const dead = deadParts(options.name);
      if (dead.length === 0) return apiServerAnswers(options.name, 10_000, options.signal).then(() => 'already up');
      await repair(state, dead, options.signal);
      return 'repaired';
    }
    await downLocked(options.name);
    try {
      await start(options);
    } catch (error) {
      await downLocked(options.name);
      throw error;
    }
    return 'started';
  });
}

/** Namespaces do not survive the machine's own restart. */
function isWhole({ namespace, nodes }: ClusterState): boolean {
  return [namespace, ...nodes.map((node) => node.namespace)].every(
    (each) => each === undefined || existsSync(`/run/netns/${each}`),
  );
}

async function repair(state: ClusterState, dead: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const servers = dead.filter(isServer);
  for (const server of servers.filter((each) => each === 'etcd' || each === 'kube-apiserver'))
    startServer(state.name, server);
  await apiServerAnswers(state.name, 60_000, signal);
  for (const server of servers) startServer(state.name, server);
  const nodes = dead.filter((part) => !isServer(part));
  await Promise.all(nodes.map((node) => startNodeProcess(state.name, node)));
  await Promise.all(nodes.map((node) => nodeIsReady(state.name, node, 60_000, signal)));
}

async function start(options: UpOptions): Promise<void> {
  const { name, programs, signal } = options;
  const ports = options.namespaces ? USUAL_PORTS : await freePorts();
  const state = await allocate(options, ports);
  const registry = state.simulated || state.slot === undefined ? undefined : startRegistry(state.slot, signal);
  const plane = controlPlane(state, ports);
  const run = (server: Server): void => {
    const program = programs[server];
    if (!program) return;
    signal?.throwIfAborted();
    const command = inNamespace(state.namespace, [...program, ...serverFlags(plane, programs)[server]]);
    recordProcess(name, server, startDetached(command, join(plane.folder, 'logs', `${server}.log`)));
  };
  try {
    writeIdentities(plane, name, state.nodes);
    writeAuditPolicy(plane.folder);
    await connect(state);
    run('etcd');
    run('kube-apiserver');
    if (!state.simulated) for (const node of state.nodes) await startNodeProcess(name, node.name);
    await apiServerAnswers(name, 60_000, signal);
    writeFileSync(join(plane.folder, 'answers'), '');
    run('kube-controller-manager');
    run('kube-scheduler');
    if (state.simulated) for (const node of state.nodes) await startNodeProcess(name, node.name);
    await Promise.all([
      ...state.nodes.map((node) => nodeIsReady(name, node.name, 60_000, signal)),
      programs['kube-controller-manager'] ? podsCanBeMade(name, signal) : undefined,
    ]);
  } finally {
    await registry; // also after an error: `down` must find what it started
  }
  updateState(name, () => ({ ready: true }));
}

/** Two starts at once must not take the same number. */
function allocate(options: UpOptions, ports: typeof USUAL_PORTS): Promise<ClusterState> {
  return withLock(`checkout-${shortHash(CHECKOUT)}`, async () => {
    const taken = new Set(listStates().map((state) => state.number));
    const number = Array.from({ length: MAX_CLUSTERS }, (_, index) => index + 1).find((each) => !taken.has(each));
    if (number === undefined) throw new Error(`${MAX_CLUSTERS} clusters are up: end some with \`make cluster-down\``);
    const slot = options.namespaces ? await claimSlot() : undefined;
    const state = writeState(newState(options, number, slot, ports));
    if (slot !== undefined) await makeBridge(slot);
    return state;
  });
}

async function connect(state: ClusterState): Promise<void> {
  const { slot, namespace, link, address } = state;
  if (slot === undefined || namespace === undefined || link === undefined) return;
  await connectCluster(slot, namespace, link, address);
  const cables = state.nodes.filter((node) => node.namespace !== undefined).map((node) => nodeCable(state, node));
  for (const cable of cables) await connectNode(slot, namespace, cable);
  await routePods(namespace, cables);
}

/** Before this account is there, every pod is refused. */
async function podsCanBeMade(name: string, signal: AbortSignal | undefined): Promise<void> {
  const client = ApiClient.fromKubeconfig(kubeconfigPath(name));
  try {
    await waitFor(
      'the default service account',
      () => client.find('/api/v1/namespaces/default/serviceaccounts/default'),
      { timeoutMs: 60_000, signal },
    );
  } finally {
    client.close();
  }
}
