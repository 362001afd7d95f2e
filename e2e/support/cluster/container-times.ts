/** When containers started and ended: from the kubelet's own status, not from what a controller believes. */

import { existsSync, readFileSync } from 'node:fs';
import { requestInside } from '../../../hack/cluster/inside.ts';
import { eventLog, mustRead } from '../../../hack/cluster/parts.ts';

export interface ContainerTime {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** Of this run: a container that was restarted is several. */
  readonly containerId: string;
  /** To the millisecond where the runtime told it, else kubelet's whole second. */
  readonly startedAt: Date;
  readonly finishedAt?: Date;
  readonly exitCode?: number;
}

/** A pod's name, or labels that it must have; neither means all of the namespace. */
export interface PodFilter {
  readonly pod?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Run {
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly exitCode?: number;
  readonly containerID?: string;
}

interface ContainerState {
  readonly running?: Run;
  readonly terminated?: Run;
}

export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly containerStatuses?: ReadonlyArray<{
      readonly name: string;
      readonly containerID?: string;
      readonly state?: ContainerState;
      readonly lastState?: ContainerState;
    }>;
  };
}

/** Of the pods that the cluster's kubelets know now; for pods that go meanwhile use `recordContainers`. */
export async function containerTimes(
  cluster: string,
  namespace: string,
  filter: PodFilter = {},
): Promise<ContainerTime[]> {
  const { nodes, simulated } = mustRead(cluster);
  const running = nodes.filter((node) => !node.stopped);
  const sources = simulated
    ? [`/api/v1/namespaces/${namespace}/pods`]
    : running.map(({ address }) => `https://${address}:10250/pods`);
  const lists = await Promise.all(
    sources.map((url) => requestInside<{ items: PodObject[] | null }>(cluster, 'GET', url)),
  );
  const pods = lists
    .flatMap(({ items }) => items ?? [])
    .filter((pod) => pod.metadata.namespace === namespace && matches(pod, filter));
  return exact(cluster, pods.flatMap(readPod));
}

export function matches({ metadata }: PodObject, { pod, labels = {} }: PodFilter): boolean {
  if (pod !== undefined && metadata.name !== pod) return false;
  return Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
}

/** The runs that a pod's status tells of: of each container the present one and the one before. */
export function readPod({ metadata: { name, namespace, uid }, status }: PodObject): ContainerTime[] {
  return (status?.containerStatuses ?? []).flatMap((container) =>
    [container.lastState?.terminated, container.state?.terminated, container.state?.running].flatMap((run) => {
      if (!run?.startedAt) return [];
      const containerId = (run.containerID ?? container.containerID ?? '').replace(/^.*:\/\//, '');
      const end = run.finishedAt ? { finishedAt: new Date(run.finishedAt), exitCode: run.exitCode ?? 0 } : {};
      return [
        {
          namespace,
          pod: name,
          uid,
          container: container.name,
          containerId,
          startedAt: new Date(run.startedAt),
          ...end,
        },
      ];
    }),
  );
}

/** Puts the runtime's times in place of kubelet's, where its event log has them. */
export function exact(cluster: string, times: readonly ContainerTime[]): ContainerTime[] {
  const logs = mustRead(cluster).nodes.map((node) => eventLog(cluster, node.name));
  const events = new Map(
    logs.filter((log) => existsSync(log)).flatMap((log) => [...readRuntimeEvents(readFileSync(log, 'utf8'))]),
  );
  return times.map((time) => ({ ...time, ...events.get(time.containerId) }));
}

interface RuntimeTimes {
  readonly startedAt: Date;
  readonly finishedAt?: Date;
}

const EVENT =
  /^(\S+) (\d+:\d+:\d+(?:\.\d{1,3})?)\d* \+0000 UTC \S+ (\/tasks\/start|\/tasks\/exit|\/node\/killed) (\{.*\})$/;

/** Lines of `ctr events`: `DATE TIME ZONE ZONE NAMESPACE TOPIC JSON`; and one of ours for each time that the node was killed. */
export function readRuntimeEvents(log: string): Map<string, RuntimeTimes> {
  const found = new Map<string, RuntimeTimes>();
  const finish = (id: string, finishedAt: Date): void => {
    const times = found.get(id);
    if (times && !times.finishedAt) found.set(id, { ...times, finishedAt });
  };
  for (const line of log.split('\n')) {
    const [, date, clock, topic, json] = EVENT.exec(line) ?? [];
    if (json === undefined) continue;
    const time = new Date(`${date}T${clock}Z`);
    const { container_id: id = '', id: process = id } = JSON.parse(json) as { container_id?: string; id?: string };
    if (topic === '/node/killed') for (const each of found.keys()) finish(each, time);
    else if (topic === '/tasks/start') found.set(id, { startedAt: time });
    else if (process === id) finish(id, time); // else a command that somebody ran inside the container ended
  }
  return found;
}

/** Pairs of runs that went on at the same time: for a singleton there must be none. A run without an end goes on until `now`. */
export function overlaps(times: readonly ContainerTime[], now = new Date()): Array<[ContainerTime, ContainerTime]> {
  const sorted = times.toSorted((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
  return sorted.flatMap((first, index) =>
    sorted
      .slice(index + 1)
      .filter((second) => second.uid !== first.uid && second.startedAt < (first.finishedAt ?? now))
      .map((second): [ContainerTime, ContainerTime] => [first, second]),
  );
}
