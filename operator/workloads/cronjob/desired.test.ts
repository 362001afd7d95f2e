import { describe, expect, it } from 'vitest';
import type { CronJob } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { CRON_JOB_KIND, cronJobSpec } from '../../api/cronjob.ts';
import { annotations, labels } from '../../api/group.ts';
import type { Claim } from '../../reconcile/child.ts';
import { claimFor, liveWith } from '../../reconcile/testing/claims.ts';
import { desired } from './desired.ts';

const SEED = { image: 'busybox:latest', schedule: '*/5 * * * *' };
const render = (given: Record<string, unknown> = {}, more: Partial<Claim> = {}) =>
  desired(claimFor(CRON_JOB_KIND, 'cronjob', more), cronJobSpec.parse({ ...SEED, ...given }))[0]!.object as CronJob;
const ours = { [labels.tenant]: 'default', [labels.kind]: CRON_JOB_KIND, [labels.name]: 'web' };

it('renders the job of the handbook: one run at a time, in a time zone that is always written', () => {
  const { spec, metadata } = render({ script: { commands: ['sleep 15'] }, env: { A: 'b' } });
  const hash = metadata.annotations?.[annotations.templateHash];
  expect(spec).toMatchObject({
    schedule: '*/5 * * * *',
    timeZone: 'Etc/UTC',
    suspend: false,
    concurrencyPolicy: 'Forbid',
    jobTemplate: {
      metadata: { labels: ours, annotations: { [annotations.templateHash]: hash } },
      spec: {
        podReplacementPolicy: 'Failed',
        template: { metadata: { labels: ours }, spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main' }] } },
      },
    },
  });
  expect(spec).not.toHaveProperty('startingDeadlineSeconds');
});

it('passes limits and deadlines on, zero included', () => {
  const given = { startingDeadlineSeconds: 60, successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 2 };
  const job = { backoffLimit: 0, activeDeadlineSeconds: 9, ttlSecondsAfterFinished: 0 };
  expect(render({ ...given, ...job }).spec).toMatchObject({ ...given, jobTemplate: { spec: job } });
});

it('lets a run end with its sidecars', () => {
  const { spec } = render({ sidecars: [{ name: 'log', image: 'busybox' }] }).spec.jobTemplate.spec.template;
  expect(spec.initContainers).toMatchObject([{ name: 'log', restartPolicy: 'Always' }]);
});

it('is parked by suspension', () => expect(render({ suspend: true }).spec.suspend).toBe(true));

it('keeps its fencing token until it starts again', () => {
  const over = (live: CronJob) =>
    render({}, { stamp: { term: 9, generation: 2 }, live: liveWith([childTypes.cronJobs, live]) }).metadata.annotations;
  expect(over(render())?.[annotations.activationTerm]).toBe('7');
  expect(over(render({ suspend: true }))?.[annotations.activationTerm]).toBe('9');
});

describe('jobTemplate', () => {
  const INDEXED = { parallelism: 4, completions: 4, completionMode: 'Indexed' };

  it('says what the spec has no field for', () => {
    const podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] };
    const given = { ...INDEXED, podFailurePolicy, ttlSecondsAfterFinished: 60 };
    const { spec } = render({ restartPolicy: 'Never', jobTemplate: { spec: given } }).spec.jobTemplate;
    expect(spec).toMatchObject({
      ...given,
      podReplacementPolicy: 'Failed',
      template: { spec: { restartPolicy: 'Never' } },
    });
  });

  it('yields to the fields of the spec', () => {
    const jobTemplate = { spec: { backoffLimit: 9, ttlSecondsAfterFinished: 60 } };
    expect(render({ backoffLimit: 0, jobTemplate }).spec.jobTemplate.spec).toMatchObject({
      backoffLimit: 0,
      ttlSecondsAfterFinished: 60,
    });
  });

  it('labels the Jobs, not their pods, and never as something that they are not', () => {
    const metadata = {
      labels: { team: 'data', [labels.tenant]: 'other' },
      annotations: { note: 'x', [annotations.term]: '9', 'cronjob.kubernetes.io/instantiate': 'manual' },
    };
    const made = render({ jobTemplate: { metadata } }).spec.jobTemplate;
    expect(made.metadata?.labels).toMatchObject({ team: 'data', ...ours });
    expect(Object.keys(made.metadata?.annotations ?? {})).toEqual(['note', annotations.templateHash]);
    expect(made.spec.template.metadata.labels).not.toHaveProperty('team');
  });

  it.each([
    [
      { suspend: false },
      'jobTemplate.spec.suspend',
      'managed by the operator and cannot be set here: use spec.suspend',
    ],
    [{ template: {} }, 'jobTemplate.spec.template', 'use podTemplate'],
    [
      { podReplacementPolicy: 'TerminatingOrFailed' },
      'jobTemplate.spec.podReplacementPolicy',
      'managed by the operator',
    ],
    [{ manualSelector: true }, 'jobTemplate.spec.manualSelector', 'managed by the operator'],
    [{ managedBy: 'x' }, 'jobTemplate.spec.managedBy', 'managed by the operator'],
    [{ parallelism: 'many' }, 'jobTemplate.spec.parallelism', 'expected number'],
    [{ completionMode: 'indexed' }, 'jobTemplate.spec.completionMode', 'Indexed'],
    [{ completionMode: 'Indexed' }, 'jobTemplate.spec.completions', 'is required with completionMode: Indexed'],
    [{ podFailurePolicy: { rules: [] } }, 'restartPolicy', 'must be Never'],
  ])('%j is refused', (given, path, message) => {
    const { error } = cronJobSpec.safeParse({ ...SEED, restartPolicy: 'OnFailure', jobTemplate: { spec: given } });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
    expect(error?.issues[0]?.message).toContain(message);
  });
});

describe('the spec', () => {
  it('says itself what is often said of Jobs, and wins over jobTemplate', () => {
    const policy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] };
    const own = { parallelism: 4, completions: 4, completionMode: 'Indexed', podFailurePolicy: policy };
    const jobTemplate = { spec: { parallelism: 1, backoffLimit: 2 } };
    const { spec } = render({ ...own, jobTemplate }).spec.jobTemplate;
    expect(spec).toMatchObject({ ...own, backoffLimit: 2, template: { spec: { restartPolicy: 'Never' } } });
  });

  it.each([
    [
      'a field out of range',
      { schedule: '61 * * * *' },
      'schedule',
      /minute: "61" must be between 0 and 59, and a range must ascend/,
    ],
    ['a time zone in the schedule', { schedule: 'TZ=UTC 0 0 * * *' }, 'schedule', /use timeZone/],
    [
      'a time zone that there is not',
      { timeZone: 'Europe/Atlantis' },
      'timeZone',
      /not a time zone that Kubernetes knows: write it like Etc\/UTC/,
    ],
    [
      'a time zone in another case',
      { timeZone: 'europe/berlin' },
      'timeZone',
      /write it like Europe\/Berlin, in exactly this case/,
    ],
    ['a policy that never ends', { restartPolicy: 'Always' }, 'restartPolicy', /./],
  ])('refuses %s', (_sentence, given, path, message) => {
    const { error } = cronJobSpec.safeParse({ ...SEED, ...given });
    expect(error?.issues[0]?.path.join('.')).toBe(path);
    expect(error?.issues[0]?.message).toMatch(message);
  });
});
