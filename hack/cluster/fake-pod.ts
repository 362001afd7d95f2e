/** What a kubelet reports of a pod: pure functions from one status to the next. */

export interface Container {
  readonly name: string;
  readonly image: string;
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: ReadonlyArray<{ readonly kind: string }>;
  };
  readonly spec: {
    readonly restartPolicy?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status: PodStatus;
}

interface Terminated {
  readonly exitCode: number;
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: { readonly running?: { readonly startedAt: string }; readonly terminated?: Terminated };
  readonly [other: string]: unknown;
}

export interface PodStatus {
  readonly phase: string;
  readonly podIP?: string;
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly [other: string]: unknown;
}

/** All containers run from now on; those of an earlier run count as restarted. */
export function runningStatus(pod: Pod, address: string, now = new Date()): PodStatus {
  const time = seconds(now);
  const before = new Map(pod.status.containerStatuses?.map((status) => [status.name, status.restartCount + 1]));
  return {
    phase: 'Running',
    hostIP: '127.0.0.1',
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: pod.status['startTime'] ?? time,
    conditions: conditions(true, time),
    initContainerStatuses: (pod.spec.initContainers ?? []).map((container) =>
      containerStatus(pod, container, 0, terminated(0, time, time)),
    ),
    containerStatuses: pod.spec.containers.map((container) =>
      containerStatus(pod, container, before.get(container.name) ?? 0, { running: { startedAt: time } }),
    ),
  };
}

/** No container runs any more: also for a pod whose containers never started. */
export function endedStatus(pod: Pod, current: PodStatus, exitCode: number, now = new Date()): PodStatus {
  const time = seconds(now);
  const before = new Map(current.containerStatuses?.map((status) => [status.name, status]));
  const startOf = (name: string): string => before.get(name)?.state.running?.startedAt ?? time;
  return {
    ...current,
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: conditions(false, time),
    containerStatuses: pod.spec.containers.map((container) =>
      containerStatus(
        pod,
        container,
        before.get(container.name)?.restartCount ?? 0,
        terminated(exitCode, startOf(container.name), time),
      ),
    ),
  };
}

function terminated(exitCode: number, startedAt: string, finishedAt: string): ContainerStatus['state'] {
  return { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt } };
}

function containerStatus(
  pod: Pod,
  { name, image }: Container,
  restartCount: number,
  state: ContainerStatus['state'],
): ContainerStatus {
  const running = state.running !== undefined;
  return {
    name,
    image,
    imageID: image,
    containerID: `fake://${pod.metadata.uid}-${name}-${restartCount}`,
    ready: running,
    started: running,
    restartCount,
    state,
  };
}

function conditions(running: boolean, time: string): object[] {
  const status = (type: string, value: boolean): object => ({
    type,
    status: value ? 'True' : 'False',
    lastTransitionTime: time,
  });
  return [
    status('PodReadyToStartContainers', running),
    status('Initialized', true),
    status('ContainersReady', running),
    status('Ready', running),
  ];
}

/** As the API writes times: whole seconds. */
export function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '');
}
