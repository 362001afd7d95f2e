/** WorkloadCronJob on a real cluster: what a user does to it, what others do to its CronJob, and a change of leaders. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { faketime } from '../operator/lease/testing/faketime.ts';
import { waitFor } from './support/cluster/index.ts';
import type { Workload } from './support/stage.ts';
import { Stage, TERM } from './support/stage.ts';

const PLURAL = 'workloadcronjobs';
const SAMPLE = join(resolve(import.meta.dirname, '..'), 'manifests/samples/workloadcronjob.yaml');

interface CronJob {
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly annotations: Record<string, string>;
  };
  readonly spec: { readonly schedule: string; readonly suspend: boolean };
}

interface Job {
  readonly metadata: { readonly name: string; readonly annotations: Record<string, string> };
  readonly spec: { readonly suspend?: boolean };
  readonly status?: { readonly succeeded?: number };
}

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.startController('cronjob-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', PLURAL, '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

/** Further lines of the spec are indented by two. */
function yaml(name: string, schedule: string, spec = '', command = 'echo ran'): string {
  return `apiVersion: highlander.plexobject.io/v1
kind: WorkloadCronJob
metadata: {name: ${name}, namespace: default}
spec:
  image: busybox:latest
  script: {commands: ["${command}"]}
  schedule: "${schedule}"
  backoffLimit: 0
  restartPolicy: Never
${spec}`;
}

const reason = (name: string, wanted: string): Promise<Workload> => stage.reason(name, wanted, 'default', PLURAL);
async function jobsOf(name: string): Promise<readonly Job[]> {
  const selector = encodeURIComponent(`highlander.plexobject.io/name=${name}`);
  return (
    (await stage.object<{ items: readonly Job[] }>('apis/batch/v1', `jobs?labelSelector=${selector}`))?.items ?? []
  );
}
const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const cronJob = (name: string) => stage.object<CronJob>('apis/batch/v1', `cronjobs/${name}`);

// Simulated nodes run no programs, so no run fails.
describe.skipIf(!inject('realNodes'))('a WorkloadCronJob', () => {
  it('becomes a CronJob, and kubectl shows NAME ACTIVE HEALTHY AGE', async () => {
    await stage.kube.apply(await readFile(SAMPLE, 'utf8'));
    const { status } = await reason('sample-cronjob', 'Scheduled');
    expect(status).toMatchObject({ active: true, healthy: true, activeRuns: 0 });
    const [header, row] = (await stage.kube.run('get', PLURAL, 'sample-cronjob')).split('\n');
    expect(header).toMatch(/^NAME +ACTIVE +HEALTHY +AGE *$/);
    expect(row).toMatch(/^sample-cronjob +true +true +\d+s/);
    expect((await cronJob('sample-cronjob'))?.spec).toMatchObject({ concurrencyPolicy: 'Forbid', timeZone: 'Etc/UTC' });
  });

  it('has what others change put back within a second', async () => {
    const changed = performance.now();
    await stage.kube.run(
      'patch',
      'cronjob',
      'sample-cronjob',
      '-p',
      '{"spec":{"suspend":true,"schedule":"* * * * *"}}',
    );
    await waitFor('the schedule', async () => {
      const spec = (await cronJob('sample-cronjob'))?.spec;
      return spec?.schedule === '*/5 * * * *' && !spec.suspend;
    });
    expect(performance.now() - changed).toBeLessThan(1500);
  });

  it('tells of a run that fails, and of the next that does not', async () => {
    await stage.kube.apply(yaml('often', '@every 2s', '', 'exit 3'));
    const failed = await reason('often', 'LastRunFailed');
    expect(failed.status).toMatchObject({ active: true, healthy: false });
    await stage.kube.apply(yaml('often', '@every 2s'));
    await reason('often', 'Scheduled');
    // Kubernetes names Jobs by the minute: there is no other one in this minute while the failed one is there.
    await stage.kube.run('delete', 'jobs', '-l', 'highlander.plexobject.io/name=often');
    const succeeded = await waitFor('a success', async () => {
      const found = await stage.workload('often', 'default', PLURAL);
      return found?.status?.lastSuccessfulTime ? found : undefined;
    });
    expect(succeeded.status).toMatchObject({ healthy: true });
  });

  it('lets a run begin when it has claimed it, with catchUp All', async () => {
    await stage.kube.apply(yaml('claimed', '@every 2s', '  catchUp: All\n'));
    await waitFor('a success', async () => {
      const found = await stage.workload('claimed', 'default', PLURAL);
      return found?.status?.lastSuccessfulTime ? found : undefined;
    });
    const selector = encodeURIComponent('highlander.plexobject.io/name=claimed');
    const jobs = await stage.object<{ items: readonly Job[] }>('apis/batch/v1', `jobs?labelSelector=${selector}`);
    const begun = jobs?.items.filter(({ spec }) => !spec.suspend) ?? [];
    expect(begun.length).toBeGreaterThan(0);
    for (const { metadata } of begun) expect(metadata.annotations[TERM]).toMatch(/^\d+$/);
    const found = await cronJob('claimed');
    expect(found?.metadata.annotations['highlander.plexobject.io/last-claimed']).toMatch(/^\d{13}$/);
  });

  it('is parked by suspend', async () => {
    await stage.kube.apply(yaml('often', '@every 2s', '  suspend: true\n'));
    await reason('often', 'Suspended');
    expect((await cronJob('often'))?.spec.suspend).toBe(true);
  });

  it('says what is wrong with its schedule, and is left as it is', async () => {
    await expect(stage.kube.apply(yaml('often', '@sometimes'))).rejects.toThrow('is not a schedule');
    await stage.kube.apply(yaml('often', '61 * * * *'));
    const stalled = await reason('often', 'InvalidSpec');
    expect(stalled.status?.lastError).toContain('spec.schedule: minute: "61"');
    expect((await cronJob('often'))?.spec).toMatchObject({ schedule: '@every 2s', suspend: true });
  });

  it('goes on through a change of leaders, whose stamp it gets', async () => {
    const old = await cronJob('sample-cronjob');
    const term = (found: CronJob | undefined): number => Number(found?.metadata.annotations[TERM]);
    await stage.startController('cronjob-2');
    await stage.endFirst('SIGTERM');
    await waitFor('the new stamp', async () => term(await cronJob('sample-cronjob')) > term(old));
    expect((await cronJob('sample-cronjob'))?.metadata.generation).toBe(old?.metadata.generation);
  });

  it('takes everything with it when it is deleted', async () => {
    await stage.kube.run('delete', PLURAL, '--all', '--wait=false');
    await waitFor('nothing left', async () => {
      const left = await Promise.all([cronJob('often'), cronJob('sample-cronjob')]);
      const pods = await stage.podsOf('WorkloadCronJob', 'often');
      return left.every((each) => each === undefined) && pods.length === 0;
    });
  });

  // Each waits for minutes to come round: together they wait for the same ones.
  describe.concurrent('by the minute', () => {
    it('runs once more for each Job that a person makes, whatever its name, and its schedule goes on', async () => {
      await stage.kube.apply(yaml('asked', '* * * * *', '  catchUp: All\n  successfulJobsHistoryLimit: 10\n'));
      await reason('asked', 'Scheduled');
      const seconds = Math.floor(Date.now() / 1000);
      const date = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
      const names = ['backup-manual', `asked-manual-${seconds}`, `asked-manual-${date}`, `asked-${date.slice(0, 8)}`];
      for (const name of names) await stage.kube.run('create', 'job', name, '--from=cronjob/asked');
      const hasRun = (each: Job | undefined) => each?.status?.succeeded === 1;
      await waitFor(
        'all that were asked for, and one of the schedule',
        async () => {
          const jobs = await jobsOf('asked');
          const isRun = (name: string) => hasRun(jobs.find(({ metadata }) => metadata.name === name));
          return names.every(isRun) && jobs.some((each) => hasRun(each) && each.metadata.annotations[SCHEDULED]);
        },
        { timeoutMs: 120_000 },
      );
      const mark = Number((await cronJob('asked'))?.metadata.annotations['highlander.plexobject.io/last-claimed']);
      expect(mark).toBeLessThanOrEqual(Date.now());
      await stage.kube.run('delete', PLURAL, 'asked', '--wait=false');
    });

    it.each([
      ['Kubernetes begins the runs', ''],
      ['each run is claimed', '  catchUp: All\n'],
    ])('goes on when an image that cannot be pulled is corrected: %s', async (_, spec) => {
      const name = spec === '' ? 'broken' : 'broken-claimed';
      const broken = yaml(name, '* * * * *', spec).replace('busybox:latest', 'busybox:no-such-tag');
      await stage.kube.apply(broken);
      await waitFor(
        'a pod that does not start',
        async () =>
          /does not start/.test(JSON.stringify((await stage.workload(name, 'default', PLURAL))?.status ?? {})),
        { timeoutMs: 120_000 },
      );
      await stage.kube.apply(yaml(name, '* * * * *', spec));
      await waitFor('a success', async () => (await jobsOf(name)).some(({ status }) => status?.succeeded === 1), {
        timeoutMs: 120_000,
      });
      await stage.kube.run('delete', PLURAL, name, '--wait=false');
    });
  });

  it('begins no run before it is due, whatever its leader takes for the time', async () => {
    await stage.kube.apply(yaml('minutely', '* * * * *', '  catchUp: All\n'));
    await reason('minutely', 'Scheduled');
    await stage.startController('cronjob-3', { env: faketime(3600) });
    await stage.endFirst('SIGTERM');
    const selector = encodeURIComponent('highlander.plexobject.io/name=minutely');
    const begun = await waitFor(
      'a run',
      async () => {
        const jobs = await stage.object<{ items: readonly Job[] }>('apis/batch/v1', `jobs?labelSelector=${selector}`);
        return jobs?.items.find(({ spec }) => !spec.suspend);
      },
      { timeoutMs: 90_000 },
    );
    const due = Date.parse(begun.metadata.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp'] ?? '');
    expect(Date.now() - due).toBeGreaterThan(0);
    expect(Date.now() - due).toBeLessThan(60_000);
  });
});
