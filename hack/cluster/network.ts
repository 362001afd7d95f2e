/**
 * Cables between clusters: a bridge for each checkout, on it one cable per cluster, at whose other end a second bridge inside the
 * cluster's own network namespace joins its nodes. So a cluster that is cut off is whole inside, as behind a broken router.
 *
 *   host: hl0 ── hl0c1 ═ uplink ── [namespace hl0-NAME: bridge `nodes`] ── nodeN ═ eth0 [namespace hl0-NAME.NODE]
 */

import { existsSync, readdirSync } from 'node:fs';
import { withLock } from './lock.ts';
import { noteFolder } from './leftovers.ts';
import { attempt, run } from './shell.ts';
import { bridgeAddress, type Slot } from './subnet.ts';

export function bridgeName(slot: Slot): string {
  return `hl${slot}`;
}

export function namespaceName(slot: Slot, ...parts: readonly string[]): string {
  return parts.length === 0 ? bridgeName(slot) : `${bridgeName(slot)}-${parts.join('.')}`;
}

/**
 * Puts a namespace in front of a command. Not `ip netns exec`: that one mounts a new /sys, in which there are no cgroups.
 */
export function inNamespace(namespace: string | undefined, command: readonly string[]): string[] {
  return namespace === undefined ? [...command] : ['nsenter', `--net=/run/netns/${namespace}`, ...command];
}

/** Makes one network change at a time: two starts at once would both make the bridge. */
function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return withLock('network', work);
}

export async function makeBridge(slot: Slot): Promise<void> {
  const name = bridgeName(slot);
  await exclusively(async () => {
    if (existsSync(`/sys/class/net/${name}`)) return;
    await batch(
      undefined,
      `link add ${name} type bridge`,
      `addr add ${bridgeAddress(slot)}/24 dev ${name}`,
      `link set ${name} up`,
    );
  });
}

export async function connectCluster(slot: Slot, namespace: string, link: string, address: string): Promise<void> {
  await addNamespace(namespace);
  await batch(
    undefined,
    `link add ${link} type veth peer name uplink netns ${namespace}`,
    `link set ${link} master ${bridgeName(slot)} up`,
  );
  await batch(
    namespace,
    'link set lo up',
    'link add nodes type bridge',
    `addr add ${address}/24 dev nodes`,
    'link set nodes up',
    'link set uplink master nodes up',
    `route add default via ${bridgeAddress(slot)}`,
  );
}

export interface NodeCable {
  readonly namespace: string;
  readonly address: string;
  /** Name of the cable's end in the cluster's namespace. */
  readonly port: string;
  readonly pods: string;
}

export async function connectNode(slot: Slot, cluster: string, node: NodeCable): Promise<void> {
  await addNamespace(node.namespace);
  await batch(
    cluster,
    `link add ${node.port} type veth peer name eth0 netns ${node.namespace}`,
    `link set ${node.port} master nodes up`,
  );
  await batch(
    node.namespace,
    'link set lo up',
    `addr add ${node.address}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${bridgeAddress(slot)}`,
  );
  const settings = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.route_localnet'].map(
    (name) => `echo 1 > /proc/sys/${name.replaceAll('.', '/')}`,
  );
  await run(inNamespace(node.namespace, ['sh', '-c', settings.join('; ')]));
}

/** Tells everybody in the cluster where each node's pods are. */
export async function routePods(cluster: string, nodes: readonly NodeCable[]): Promise<void> {
  const routes = (own?: NodeCable): string[] =>
    nodes.filter((node) => node !== own).map((node) => `route replace ${node.pods} via ${node.address}`);
  await Promise.all([batch(cluster, ...routes()), ...nodes.map((node) => batch(node.namespace, ...routes(node)))]);
}

/** Pulls a cable or plugs it in again, at the end that lies in `namespace` (the host's if undefined). */
export async function setLink(namespace: string | undefined, link: string, up: boolean): Promise<void> {
  await batch(namespace, `link set ${link} ${up ? 'up' : 'down'}`);
}

/** Ends what still runs in a namespace, all of it ours because we made the namespace, and removes it with its cables. */
export async function removeNamespace(namespace: string): Promise<void> {
  const pids = (await attempt(['ip', 'netns', 'pids', namespace])) ?? '';
  for (const pid of pids.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // ended in the meantime
    }
  }
  await attempt(['ip', 'netns', 'delete', namespace]);
}

export async function removeLink(link: string): Promise<void> {
  if (existsSync(`/sys/class/net/${link}`)) await attempt(['ip', 'link', 'delete', link]);
}

/** All namespaces of a cluster, even of one whose state was lost. */
export function namespacesOf(slot: Slot, cluster: string): string[] {
  const own = namespaceName(slot, cluster);
  return namespaces().filter((name) => name === own || name.startsWith(`${own}.`));
}

function namespaces(): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : [];
}

async function addNamespace(name: string): Promise<void> {
  await exclusively(async () => {
    for (const folder of ['/run/netns', '/run/mount']) noteFolder(folder);
    await run(['ip', 'netns', 'add', name]);
  });
}

async function batch(namespace: string | undefined, ...lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run(inNamespace(namespace, ['ip', '-batch', '-']), { input: `${lines.join('\n')}\n` });
}
