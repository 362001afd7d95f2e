import { describe, expect, it } from 'vitest';
import type { ChildType, CronJob, Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { cronJobSpec } from '../../api/cronjob.ts';
import { annotations } from '../../api/group.ts';
import { liveWith, sightOf } from '../../reconcile/testing/claims.ts';
import { facts, verdict } from './observe.ts';

const SPEC = cronJobSpec.parse({ image: 'b', schedule: '*/5 * * * *' });
const NOW = Date.parse('2030-01-01T00:01:00Z');
const OWNER = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'web', uid: 'u', controller: true };
const TEMPLATE = { metadata: { labels: {} }, spec: { containers: [] } };

function cronJob(suspend = false): CronJob {
  return {
    metadata: { name: 'web', uid: 'u', annotations: { [annotations.templateHash]: 'now' } },
    spec: { schedule: SPEC.schedule, timeZone: 'Etc/UTC', suspend, jobTemplate: { spec: { template: TEMPLATE } } },
    status: { active: [{ name: 'web-3' }], lastScheduleTime: '2030-01-01T00:00:00Z' },
  };
}

function job(name: string, startTime: string, type?: 'Complete' | 'Failed', hash = 'now'): Job {
  const conditions = type ? [{ type, status: 'True', reason: 'BackoffLimitExceeded' }] : [];
  return {
    metadata: { name, annotations: { [annotations.templateHash]: hash }, ownerReferences: [OWNER] },
    spec: { template: TEMPLATE },
    status: { startTime, conditions },
  };
}

function look(live: CronJob | undefined, jobs: readonly Job[] = [], suspend = false) {
  const objects: [ChildType, object][] = jobs.map((each) => [childTypes.jobs, each]);
  if (live) objects.push([childTypes.cronJobs, live]);
  const sight = sightOf(liveWith(...objects), { now: NOW });
  return { verdict: verdict(sight, { ...SPEC, suspend }), facts: facts(sight) };
}

const GOOD = job('web-1', '2030-01-01T00:00:00Z', 'Complete');
const BAD = job('web-2', '2030-01-01T00:05:00Z', 'Failed');
const RUNNING = job('web-3', '2030-01-01T00:10:00Z');

describe('a cron job', () => {
  it('is scheduled, and looked at again after the next run was due', () => {
    const seen = look(cronJob(), [GOOD, RUNNING]);
    expect(seen.verdict).toMatchObject({ state: 'done', reason: 'Scheduled', requeueAfterMs: 241_000 });
    expect(seen.facts).toMatchObject({
      active: true,
      healthy: true,
      nextScheduleTime: '2030-01-01T00:05:00Z',
      lastScheduleTime: '2030-01-01T00:00:00Z',
      activeRuns: 1,
      lastRun: 'web-3',
    });
  });

  it('counts a run that a person asked for, and none that waits', () => {
    const waits = job('web-4', '2030-01-01T00:15:00Z');
    const jobs = [RUNNING, job('asked', '2030-01-01T00:12:00Z'), { ...waits, spec: { ...waits.spec, suspend: true } }];
    expect(look({ ...cronJob(), status: { active: [{ name: 'web-4' }] } }, jobs).facts.activeRuns).toBe(2);
  });

  it.each([
    ['later than the last one here', '2030-01-01T00:00:30Z', '2030-01-01T00:00:30Z'],
    ['earlier', '2029-12-31T23:55:00Z', '2030-01-01T00:00:00Z'],
  ])('knows of a run in another cluster: %s', (_, elsewhere, expected) => {
    const live = cronJob();
    live.metadata.annotations = { [annotations.lastRun]: String(Date.parse(elsewhere)) };
    expect(look(live).facts.lastScheduleTime).toBe(expected);
  });

  it('is stalled when the last run that ended has failed, until one succeeds or the spec changes', () => {
    expect(look(cronJob(), [GOOD, BAD, RUNNING])).toMatchObject({
      verdict: { state: 'stalled', reason: 'LastRunFailed', message: expect.stringContaining('web-2') as string },
      facts: { active: true, healthy: false },
    });
    const since = job('web-4', '2030-01-01T00:20:00Z', 'Complete');
    expect(look(cronJob(), [BAD, since]).verdict.state).toBe('done');
    const other = job('web-2', '2030-01-01T00:05:00Z', 'Failed', 'before');
    expect(look(cronJob(), [other]).verdict.state).toBe('done');
  });

  it('is parked', () => {
    expect(look(cronJob(true), [], true)).toMatchObject({
      verdict: { state: 'resting', reason: 'Suspended' },
      facts: { active: false, healthy: false, nextScheduleTime: undefined },
    });
  });

  it('is to be created', () => expect(look(undefined).verdict.reason).toBe('Creating'));
});
