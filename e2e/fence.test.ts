/** A cluster whose API server enforces permits, and a permit that somebody deletes: nothing starts without it, and it comes back. */
import { join, resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Stage, processYaml } from './support/stage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PERMIT = ['lease', 'highlander-permit-default'] as const;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open({ cluster: 'fence' });
  const program = [join(ROOT, 'dist/main.mjs'), 'admission', '--storage-type', 'sqlite'];
  await stage.kube.apply(execFileSync(join(ROOT, 'node_modules/.bin/node'), program, { encoding: 'utf8' }));
  await stage.startController('fence-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.close();
}, 120_000);

it('a pod that is refused for want of a permit is tried again, and the permit is written again', async () => {
  await stage.kube.run('delete', ...PERMIT);
  await stage.kube.apply(processYaml('late', ['while true; do sleep 1; done']));
  const refused = await stage.reason('late', 'PodRefused');
  expect(refused.status?.lastError).toContain("ValidatingAdmissionPolicy 'highlander-permit'");
  await stage.runningPod('late-pod');
  expect(await stage.kube.run('get', ...PERMIT, '-o', 'name')).toContain(PERMIT[1]);
});
