/** WorkloadProcess on a real cluster with real pods: what a user does, and what the kubelet says happened. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ContainerRecorder } from './support/cluster/index.ts';
import { overlaps, waitFor } from './support/cluster/index.ts';
import { Stage, processYaml, termOf } from './support/stage.ts';

let stage: Stage;
let recorder: ContainerRecorder;

beforeAll(async () => {
  stage = await Stage.open();
  recorder = await stage.cluster.recordContainers('default');
  await stage.startController('process-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  recorder?.stop();
  await stage?.kube.run('delete', 'workloadprocesses', '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

const TICKING = ['echo started', 'while true; do sleep 1; done'];
const log = (pod: string): Promise<string> =>
  waitFor(`the log of ${pod}`, async () => (await stage.kube.run('logs', pod)) || undefined);

// Simulated nodes, where the machine allows no others, run no programs: there is nothing to see.
describe.skipIf(!inject('realNodes'))('a WorkloadProcess', () => {
  it('becomes a running pod, and kubectl shows NAME ACTIVE HEALTHY AGE', async () => {
    await stage.kube.apply(processYaml('shown', TICKING));
    const pod = await stage.runningPod('shown-pod');
    expect(await log('shown-pod')).toBe('started\n');
    await stage.reason('shown', 'Running');
    const [header, row] = (await stage.kube.run('get', 'workloadprocess', 'shown')).split('\n');
    expect(header).toMatch(/^NAME +ACTIVE +HEALTHY +AGE *$/);
    expect(row).toMatch(/^shown +true +true +\d+s/);
    const env = new Map(pod.spec.containers[0]?.env?.map((each) => [each.name, each.value]));
    expect(Number(env.get('HIGHLANDER_FENCING_TOKEN'))).toBe(termOf(pod));
    expect(env.get('HIGHLANDER_TENANT')).toBe('default');
  });

  it('is replaced when it is edited, the old pod ended before the new one starts', async () => {
    await stage.kube.apply(
      processYaml('edited', ['trap "sleep 1; exit 0" TERM', 'echo one', 'while true; do sleep 0.1; done']),
    );
    const before = await stage.runningPod('edited-pod');
    await stage.kube.apply(processYaml('edited', ['echo two', 'while true; do sleep 1; done']));
    const after = await stage.runningPod('edited-pod', { not: before.metadata.uid });
    expect(await log('edited-pod')).toBe('two\n');
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    const runs = await waitFor('both runs', async () => {
      const times = recorder.times({ pod: 'edited-pod' });
      return times.length === 2 && times[0]?.finishedAt ? times : undefined;
    });
    expect(overlaps(runs)).toEqual([]);
  });

  it('leaves nothing behind when it is deleted', async () => {
    await stage.kube.apply(processYaml('deleted', TICKING));
    await stage.runningPod('deleted-pod');
    await stage.kube.run('delete', 'workloadprocess', 'deleted', '--wait=false');
    await stage.noPod('deleted-pod');
  });

  it.each([
    ['deleted', (pod: string) => stage.kube.run('delete', 'pod', pod, '--wait=false')],
    ['evicted', (pod: string) => evict(pod)],
    [
      'force-deleted',
      (pod: string) => stage.kube.run('delete', 'pod', pod, '--wait=false', '--force', '--grace-period=0'),
    ],
  ])('has its pod made again when that is %s, never two at once', async (how, remove) => {
    const name = `again-${how}`;
    await stage.kube.apply(processYaml(name, TICKING));
    const before = await stage.runningPod(`${name}-pod`);
    await remove(`${name}-pod`);
    await stage.runningPod(`${name}-pod`, { not: before.metadata.uid });
    expect(overlaps(recorder.times({ pod: `${name}-pod` }))).toEqual([]);
  });

  it('lets SIGTERM reach the program, and its own clean-up finish', async () => {
    await stage.kube.apply(
      processYaml('polite', [
        'trap "echo cleaning; sleep 2; echo done; exit 0" TERM',
        'echo started',
        'while true; do sleep 0.1; done',
      ]),
    );
    await stage.runningPod('polite-pod');
    await log('polite-pod');
    const follow = stage.kube.run('logs', '-f', 'polite-pod');
    await stage.kube.run('delete', 'workloadprocess', 'polite', '--wait=false');
    // The shell's own word comes by another stream, in no order with the rest.
    expect((await follow).replace('Terminated\n', '')).toBe('started\ncleaning\ndone\n');
    await stage.noPod('polite-pod');
  });

  it('hands its script to the shell byte for byte', async () => {
    const script = [
      'printf "%s\\n" "$$" | grep -c .',
      'echo "$(echo $((1+1))) $HOME ${NONE:-none}"',
      "echo 'it''s' \"ü\" $(hostname | wc -l) '$(TEST)'",
    ];
    await stage.kube.apply(processYaml('bytes', script, '  env: {TEST: value}\n  restartPolicy: Never'));
    await stage.reason('bytes', 'Completed');
    expect(await log('bytes-pod')).toBe('1\n2 /root none\nits ü 1 $(TEST)\n');
  });

  it('ends at the first command that fails, and is not run again with restartPolicy Never', async () => {
    await stage.kube.apply(processYaml('failing', ['echo before', 'false', 'echo after'], '  restartPolicy: Never'));
    await waitFor('its end', async () => (await stage.pod('failing-pod'))?.status?.phase === 'Failed');
    expect(await log('failing-pod')).toBe('before\n');
    const workload = await waitFor('the status', async () => {
      const found = await stage.workload('failing');
      return found?.status?.healthy === false && found.status.active === false ? found : undefined;
    });
    expect(workload.status?.lastError).toContain('exit code 1');
    await stage.kube.run('delete', 'pod', 'failing-pod');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await stage.pod('failing-pod')).toBeUndefined();
  });

  it('is stopped once it has failed more often than maxRestarts allows', async () => {
    await stage.kube.apply(processYaml('crashing', ['exit 3'], '  maxRestarts: 1'));
    await stage.reason('crashing', 'MaxRestartsExceeded');
    await stage.noPod('crashing-pod');
  });

  it('is parked by suspend and comes back', async () => {
    await stage.kube.apply(processYaml('paused', TICKING));
    await stage.runningPod('paused-pod');
    await stage.kube.apply(processYaml('paused', TICKING, '  suspend: true'));
    await stage.noPod('paused-pod');
    await stage.kube.apply(processYaml('paused', TICKING));
    await stage.runningPod('paused-pod');
  });

  it('never touches a pod that is not its own, and says which one stands in its way', async () => {
    await stage.kube.run('run', 'foreign-pod', '--image=busybox:latest', '--restart=Never', '--', 'sleep', '3600');
    const foreign = await stage.runningPod('foreign-pod');
    await stage.kube.apply(processYaml('foreign', TICKING));
    const blocked = await stage.reason('foreign', 'Conflict');
    expect(blocked.status?.conditions?.find((each) => each.type === 'Stalled')?.message).toContain('foreign-pod');
    expect((await stage.pod('foreign-pod'))?.metadata.uid).toBe(foreign.metadata.uid);
    await stage.kube.run('delete', 'pod', 'foreign-pod', '--grace-period=1');
    await stage.runningPod('foreign-pod', { not: foreign.metadata.uid });
  });

  it('keeps its pod when only labels or limits of the operator change, and says why nothing else changed', async () => {
    await stage.kube.apply(processYaml('gentle', TICKING));
    const before = await stage.runningPod('gentle-pod');
    await stage.kube.apply(processYaml('gentle', TICKING, '  maxRestarts: 7'));
    await waitFor('the new generation', async () => {
      const found = await stage.workload('gentle');
      return found?.status?.observedGeneration === found?.metadata.generation && found?.metadata.generation === 2;
    });
    expect((await stage.pod('gentle-pod'))?.metadata.uid).toBe(before.metadata.uid);
  });

  it('is cleaned up when it was deleted while no controller ran', async () => {
    await stage.kube.apply(processYaml('orphan', TICKING));
    await stage.runningPod('orphan-pod');
    await stage.endControllers();
    await stage.kube.run('delete', 'workloadprocess', 'orphan', '--wait=false');
    await waitFor('the garbage collector', async () => (await stage.pod('orphan-pod'))?.metadata.deletionTimestamp);
    await stage.startController('process-2');
    await stage.leader();
    await stage.noPod('orphan-pod');
  });
});

async function evict(pod: string): Promise<string> {
  await stage.cluster.request('POST', `/api/v1/namespaces/default/pods/${pod}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod, namespace: 'default' },
  });
  return '';
}
