/** A WorkloadProcess into whose pods the API server injects containers, as webhooks of service meshes do; real kubelets say how they end. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { adding, injector } from '../operator/reconcile/testing/injector.ts';
import { waitFor } from './support/cluster/index.ts';
import { Stage, processYaml } from './support/stage.ts';

const COMMAND = JSON.stringify(['sh', '-c', "trap 'exit 7' TERM; while true; do sleep 0.2; done"]);
const PROXY = `name: "proxy", image: "busybox:latest", imagePullPolicy: "IfNotPresent", command: ${COMMAND}`;
/** By the label of the namespace, which is also its name. */
const INJECTORS: Readonly<Record<string, object>> = {
  plain: adding('/spec/containers/-', `Object.spec.containers{${PROXY}}`),
};

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  for (const [name, mutation] of Object.entries(INJECTORS)) {
    for (const object of injector(name, mutation)) await stage.kube.apply(JSON.stringify(object));
    const metadata = { name, labels: { inject: name } };
    await stage.kube.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }));
  }
  await stage.startController('injected-1');
  await stage.leader();
  await waitFor('the policy to hold', async () => {
    const tries = Object.keys(INJECTORS).map((name) =>
      stage.kube.run('run', 'try', '--image=busybox', '-n', name, '--dry-run=server', '-o', 'json'),
    );
    return (await Promise.all(tries)).every((text) => text.includes('"proxy"'));
  });
}, 600_000);

afterAll(async () => {
  for (const name of Object.keys(INJECTORS)) {
    await stage?.kube.run('delete', 'workloadprocesses', '--all', '-n', name, '--timeout=60s');
    await stage?.kube.run('delete', 'mutatingadmissionpolicy,mutatingadmissionpolicybinding', name);
    await stage?.kube.run('delete', 'namespace', name, '--wait=false');
  }
  await stage?.close();
}, 180_000);

const STATE = `  podTemplate:
    spec:
      volumes: [{name: state, emptyDir: {}}]
      containers: [{name: main, volumeMounts: [{name: state, mountPath: /state}]}]`;

// Simulated nodes, where the machine allows no others, run no programs: none ends.
describe.skipIf(!inject('realNodes'))('beside an injected container', () => {
  it.each([
    ['OnFailure', 0, 'Completed', undefined],
    ['Never', 3, 'ProcessFailed', 'exit code 3'],
  ])(
    'that never ends, a process with restartPolicy %s that ends with %d is over: %s, and its pod goes',
    async (policy, code, reason, problem) => {
      const name = `ends-${code}`;
      await stage.kube.apply(processYaml(name, [`sleep 1; exit ${code}`], `  restartPolicy: ${policy}`, 'plain'));
      const ended = await stage.reason(name, reason, 'plain');
      expect(ended.status?.lastError ?? '').toContain(problem ?? '');
      expect(ended.status).toMatchObject({ active: false, healthy: code === 0, restarts: 0 });
      await stage.noPod(`${name}-pod`, 'plain');
      await stage.kube.run('annotate', 'workloadprocess', name, '-n', 'plain', 'touched=1');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await stage.pod(`${name}-pod`, 'plain')).toBeUndefined();
      expect((await stage.reason(name, reason, 'plain')).status?.lastError ?? '').toContain(problem ?? '');
    },
  );

  it.each(['plain'])('a process that fails is started again in its pod (%s)', async (place) => {
    const script = ['if test -f /state/seen; then sleep 1000; fi', 'touch /state/seen', 'exit 3'];
    await stage.kube.apply(processYaml('restarts', script, STATE, place));
    const { metadata } = await waitFor('its pod', () => stage.pod('restarts-pod', place));
    const running = await waitFor('the second run', async () => {
      const found = await stage.reason('restarts', 'Running', place);
      return found.status?.restarts === 1 ? found : undefined;
    });
    expect(running.status).toMatchObject({ active: true, healthy: true });
    expect((await stage.pod('restarts-pod', place))?.metadata.uid).toBe(metadata.uid);
  });

  // The kubelet ends it after the process, whatever its own exit code.
  it.each([['of the spec', 'default', `  sidecars: [{name: log, image: "busybox:latest", command: ${COMMAND}}]`]])(
    'that is native (%s), a success completes the pod, and a failure with Never is one',
    async (_, place, more) => {
      for (const [name, code, reason] of [
        ['succeeds', 0, 'Completed'],
        ['fails', 3, 'ProcessFailed'],
      ] as const) {
        const policy = code === 0 ? 'OnFailure' : 'Never';
        const text = processYaml(name, [`sleep 1; exit ${code}`], `  restartPolicy: ${policy}\n${more}`, place);
        await stage.kube.apply(text);
        const ended = await stage.reason(name, reason, place);
        expect(ended.status).toMatchObject({ active: false, healthy: code === 0, restarts: 0 });
        await stage.kube.run('annotate', 'workloadprocess', name, '-n', place, 'touched=1');
        await stage.kube.run('delete', 'pod', `${name}-pod`, '-n', place, '--ignore-not-found', '--timeout=60s');
        await waitFor(
          'the status to be kept',
          async () => (await stage.reason(name, reason, place)).status?.restarts === 0,
        );
        expect(await stage.pod(`${name}-pod`, place)).toBeUndefined();
      }
    },
  );

  it('a process with restartPolicy Always is started again after a success', async () => {
    const script = ['if test -f /state/seen; then sleep 1000; fi', 'touch /state/seen'];
    await stage.kube.apply(processYaml('always', script, `  restartPolicy: Always\n${STATE}`, 'plain'));
    const running = await waitFor('the second run', async () => {
      const found = await stage.reason('always', 'Running', 'plain');
      return found.status?.restarts === 1 ? found : undefined;
    });
    expect(running.status).toMatchObject({ active: true, healthy: true });
  });
});
