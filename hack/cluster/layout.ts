/** Names, addresses and folders of a cluster's parts: all follow from its number and its checkout's slot. */

import { join } from 'node:path';
import { controlPlanePath } from './build.ts';
import type { ControlPlane, Ports } from './control-plane.ts';
import { bridgeName, namespaceName, type NodeCable } from './network.ts';
import type { RealNode } from './node.ts';
import { clusterFolder } from './paths.ts';
import { registryAddress } from './registry.ts';
import type { ClusterState, NodeState } from './state.ts';
import { clusterAddress, MAX_NODES, type Slot } from './subnet.ts';

export interface Wish {
  readonly name: string;
  readonly nodes: number;
  readonly simulated: boolean;
}

export function checkWish({ name, nodes }: Wish): void {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name))
    throw new Error(`not a cluster name: ${name} (a letter, then letters, digits and -, 20 at most)`);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new Error(`a cluster has 1 to ${MAX_NODES} nodes, not ${nodes}`);
}

/** `slot` is undefined where the machine allows no namespaces: then all servers are on loopback. */
export function newState(wish: Wish, number: number, slot: Slot | undefined, ports: Ports): ClusterState {
  const address = slot === undefined ? '127.0.0.1' : clusterAddress(slot, number);
  const nodes = Array.from({ length: wish.nodes }, (_, index): NodeState => {
    const name = `node${index + 1}`;
    if (slot === undefined || wish.simulated) return { name, address };
    return { name, address: clusterAddress(slot, number, index + 1), namespace: namespaceName(slot, wish.name, name) };
  });
  const network =
    slot === undefined
      ? {}
      : { slot, namespace: namespaceName(slot, wish.name), link: `${bridgeName(slot)}c${number}` };
  return {
    version: 1,
    name: wish.name,
    number,
    nodes,
    simulated: wish.simulated,
    server: `https://${address}:${ports.api}`,
    address,
    ...network,
    ready: false,
    processes: {},
  };
}

export function controlPlane(state: ClusterState, ports: Ports): ControlPlane {
  return {
    folder: clusterFolder(state.name),
    address: state.address,
    ports,
    services: `10.${95 + state.number}.0.0/16`,
  };
}

export function nodeCable(state: ClusterState, node: NodeState): NodeCable {
  return { namespace: node.namespace ?? '', address: node.address, port: node.name, pods: podRange(state, node) };
}

export function nodeRunFolder(namespace: string): string {
  return `/run/${namespace}`;
}

export function realNode(state: ClusterState, node: NodeState, runtime: string): RealNode {
  const { slot } = state;
  const { namespace } = node;
  if (slot === undefined || namespace === undefined)
    throw new Error(`${node.name} of ${state.name} is a simulated node`);
  const folder = clusterFolder(state.name);
  return {
    name: node.name,
    address: node.address,
    folder: join(folder, 'nodes', node.name),
    runFolder: nodeRunFolder(namespace),
    pki: join(folder, 'pki'),
    cgroup: namespace,
    pods: podRange(state, node),
    runtime,
    registry: registryAddress(slot),
    clusterFolder: folder,
    controlPlane: controlPlanePath(),
  };
}

/** Different in all clusters of a checkout, so that their pods could be routed to each other. */
function podRange(state: ClusterState, node: NodeState): string {
  return `10.244.${state.number * 16 + state.nodes.indexOf(node)}.0/24`;
}
