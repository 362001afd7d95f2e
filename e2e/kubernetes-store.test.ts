/** No store besides the cluster itself: Lease objects. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Stage, processYaml, termOf } from './support/stage.ts';
import { waitFor } from './support/cluster/index.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open({ store: 'kubernetes' });
}, 600_000);

afterAll(async () => {
  await stage?.close();
}, 120_000);

it('elects, fails over and hands over with nothing but the API server', async () => {
  const config = 'storageType: kubernetes\ntenant: lease-store';
  const labelled = (yaml: string): string =>
    yaml.replace('metadata: {', 'metadata: {labels: {highlander.plexobject.io/tenant: lease-store}, ');
  const first = await stage.startController('lease-1', { config });
  await stage.leader();
  await stage.kube.apply(labelled(processYaml('on-lease', ['while true; do sleep 1; done'])));
  const pod = await stage.runningPod('on-lease-pod');
  const second = await stage.startController('lease-2', { config });
  await first.end('SIGKILL');
  await waitFor('the adoption', async () => termOf(await stage.pod('on-lease-pod')) > termOf(pod), {
    timeoutMs: 20_000,
  });
  expect((await stage.pod('on-lease-pod'))?.metadata.uid).toBe(pod.metadata.uid);
  expect(await stage.kube.run('get', 'lease', 'highlander-leader-lock-lease-store')).toContain('lease-2-');
  await second.end('SIGTERM');
  const third = await stage.startController('lease-3', { config });
  await stage.leader(5000);
  expect(await third.metric('k8_highlander_lease_term')).toBeGreaterThan(termOf(pod));
  await stage.kube.run('delete', 'workloadprocess', 'on-lease', '--wait=false');
  await stage.noPod('on-lease-pod');
}, 120_000);
