/** A cluster whose API server enforces permits, and a permit that somebody deletes: nothing starts without it, and it comes back. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitFor } from './support/cluster/index.ts';
import { Stage, processYaml } from './support/stage.ts';

const PERMIT = ['lease', 'highlander-permit-default'] as const;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open({ cluster: 'fence' });
  await stage.enforcePermits();
  await stage.startController('fence-1');
  await stage.leader();
  await stage.startController('fence-2');
  await refuses(probe({ 'highlander.plexobject.io/probe': 'deny' }));
}, 600_000);

afterAll(async () => {
  await stage?.close();
}, 120_000);

it('a pod that is refused for want of a permit starts soon after the permit is written again, by the leader or the standby', async () => {
  await stage.kube.run('delete', ...PERMIT);
  await permitWritten();
  // It was looked at a moment ago: the next look is half a minute away.
  await stage.kube.run('delete', ...PERMIT);
  await refuses(probe());
  await stage.kube.apply(processYaml('late', ['while true; do sleep 1; done']));
  const refused = await stage.reason('late', 'PodRefused');
  expect(refused.status?.lastError).toContain("ValidatingAdmissionPolicy 'highlander-permit'");
  await permitWritten();
  await stage.runningPod('late-pod', { timeoutMs: 15_000 });
});

function permitWritten(): Promise<object> {
  return waitFor('the permit to be written', () => stage.kube.get<object>(...PERMIT), { timeoutMs: 60_000 });
}

/** Until the API server, which learns of policies and permits by watches, refuses this pod because of the permit's policy. */
function refuses(pod: string): Promise<true> {
  return waitFor(
    'the API server to enforce the permit',
    () =>
      stage.kube.dryRun(pod).then(
        () => undefined,
        (error: Error) => error.message.includes("'highlander-permit'") || undefined,
      ),
    { timeoutMs: 30_000, everyMs: 50 },
  );
}

function probe(labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe', labels: { 'highlander.plexobject.io/tenant': 'default', ...labels } },
    spec: { containers: [{ name: 'main', image: 'busybox' }] },
  });
}
