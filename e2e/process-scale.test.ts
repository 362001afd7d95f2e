/** A WorkloadProcess and what works on the scale subresource: kubectl scale, budgets for disruptions, drains. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ContainerRecorder } from './support/cluster/index.ts';
import { overlaps, waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;
let recorder: ContainerRecorder;

/** A scheduler that must run once, as a Deployment with one replica and Recreate has it. */
const BEAT = `apiVersion: highlander.plexobject.io/v1
kind: WorkloadProcess
metadata: {name: beat, namespace: default}
spec:
  image: busybox:latest
  restartPolicy: Always
  command: [sh, -c, "touch /tmp/beat.pid; trap 'exit 0' TERM; while true; do sleep 0.2; done"]
  podTemplate:
    spec:
      containers:
        - name: main
          livenessProbe: {exec: {command: [sh, -c, "test -f /tmp/beat.pid"]}, periodSeconds: 30}
          lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
`;
const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: beat, namespace: default}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {highlander.plexobject.io/name: beat}}
`;

interface Budget {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed: number;
    readonly expectedPods: number;
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  };
}

const PODS = '--pod-selector=highlander.plexobject.io/name=beat';

beforeAll(async () => {
  stage = await Stage.open();
  recorder = await stage.cluster.recordContainers('default');
  await stage.startController('scaled-1');
  await stage.leader();
  await stage.kube.apply(BEAT);
  await stage.reason('beat', 'Running');
}, 600_000);

afterAll(async () => {
  recorder?.stop();
  await stage?.kube.run('delete', 'poddisruptionbudget', 'beat', '--ignore-not-found');
  await stage?.kube.run('delete', 'workloadprocesses', '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

const nodeOf = async (): Promise<string> => (await stage.pod('beat-pod'))?.spec.nodeName ?? '';

describe('kubectl scale', () => {
  it('stops the process and starts it again', async () => {
    await stage.kube.run('scale', 'workloadprocess', 'beat', '--replicas=0');
    await stage.noPod('beat-pod');
    const stopped = await stage.reason('beat', 'ScaledToZero');
    expect(stopped.status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
    expect(stopped.status).toMatchObject({ active: false });
    await stage.kube.run('scale', 'workloadprocess', 'beat', '--replicas=1');
    await stage.reason('beat', 'Running');
  });

  it('refuses more than one and says why', async () => {
    await expect(stage.kube.run('scale', 'workloadprocess', 'beat', '--replicas=2')).rejects.toThrow(
      'must be 0 or 1, because a process runs once',
    );
    await stage.reason('beat', 'Running');
  });
});

// Simulated nodes, where the machine allows no others, run no programs: there is nothing to evict.
describe.skipIf(!inject('realNodes'))('a drain', () => {
  it('is allowed one disruption, ends, and the process runs again, never twice', async () => {
    await stage.kube.apply(BUDGET);
    // The controller manager learns of kinds that are new in its cluster only after a while.
    const status = await waitFor(
      'the budget',
      async () => {
        const found = await stage.object<Budget>('apis/policy/v1', 'poddisruptionbudgets/beat');
        const trouble = found?.status?.conditions?.find(({ reason }) => reason === 'SyncFailed');
        if (trouble) throw new Error(trouble.message);
        return found?.status?.observedGeneration === found?.metadata.generation ? found?.status : undefined;
      },
      { timeoutMs: 180_000 },
    );
    expect(status).toMatchObject({ disruptionsAllowed: 1, expectedPods: 1 });
    const node = await nodeOf();
    const before = await stage.runningPod('beat-pod');
    try {
      await stage.kube.run('drain', node, PODS, '--timeout=60s', '--delete-emptydir-data');
    } finally {
      await stage.kube.run('uncordon', node);
    }
    await stage.runningPod('beat-pod', { not: before.metadata.uid });
    await stage.reason('beat', 'Running');
    expect(overlaps(recorder.times({ pod: 'beat-pod' }))).toEqual([]);
  }, 300_000);
});
