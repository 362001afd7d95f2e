/** What a WorkloadCronJob asks for: a CronJob. Pure. */
import type { CronJob, JobSpec } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { CronJobSpec } from '../../api/cronjob.ts';
import { annotations } from '../../api/group.ts';
import { restartPolicyOf } from '../../api/job-template.ts';
import type { Claim, DesiredChild } from '../../reconcile/child.ts';
import { activationOf, isResumed, makeChild, podTemplateOf } from '../../reconcile/child.ts';
import { withoutOurs } from '../../reconcile/metadata.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';
import { originAnnotations } from './jobs.ts';

/** The CronJob, as the only child. Throws `TerminalError` for a spec that cannot be rendered. */
export function desired(claim: Claim, spec: CronJobSpec): readonly DesiredChild[] {
  const { owner, stamp } = claim;
  const live = claim.live.get<CronJob>(childTypes.cronJobs, owner.name);
  const template = podTemplateOf(claim, spec, { restartPolicy: restartPolicyOf(spec) });
  const resumes = !spec.suspend && isResumed(live, live?.spec.suspend === true, stamp);
  const activation = activationOf(live, template, resumes, stamp);
  // Each run is claimed before it begins, so it is made waiting. Once so, always so: one that waits must not be forgotten.
  const claims = claim.scope === 'multi' || spec.catchUp === 'All' || live?.spec.jobTemplate.spec.suspend === true;
  const required = { jobTemplate: { spec: { suspend: true } } };
  // Jobs tell by it whether they ran what the spec asks for now.
  const notes = { [annotations.templateHash]: activation.templateHash };
  const users = spec.jobTemplate?.metadata ?? {};
  const child = makeChild(claim, {
    type: childTypes.cronJobs,
    name: owner.name,
    labels: spec.labels,
    annotations: spec.annotations,
    activation,
    ...(claims && { required }),
    spec: (fencingToken): CronJob['spec'] => {
      const pods = template(fencingToken);
      return {
        schedule: spec.schedule,
        timeZone: spec.timeZone,
        suspend: spec.suspend,
        concurrencyPolicy: spec.concurrencyPolicy,
        ...given(spec, 'startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'),
        jobTemplate: {
          metadata: {
            labels: { ...withoutOurs(users.labels), ...pods.metadata.labels },
            annotations: { ...forJobs({ ...users.annotations, ...pods.metadata.annotations }), ...notes },
          },
          spec: { ...jobSpec(spec, claims), template: pods },
        },
      };
    },
  });
  return [child];
}

function jobSpec(spec: CronJobSpec, waits: boolean): Omit<JobSpec, 'template'> {
  return strategicMerge<Omit<JobSpec, 'template'>>(spec.jobTemplate?.spec, {
    ...(waits && { suspend: true }),
    ...given(spec, 'parallelism', 'completions', 'completionMode', 'podFailurePolicy', 'backoffLimit'),
    ...given(spec, 'activeDeadlineSeconds', 'ttlSecondsAfterFinished'),
    // A pod that is on its way out may still run: the next one starts when it has ended.
    podReplacementPolicy: 'Failed',
  });
}

/** Without ours. A user's annotation must not make each run look like one that a person asked for. */
function forJobs(users: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(withoutOurs(users)).filter(([key]) => !originAnnotations.includes(key)));
}

function given<K extends keyof CronJobSpec>(
  spec: CronJobSpec,
  ...fields: readonly K[]
): { readonly [F in K]?: NonNullable<CronJobSpec[F]> } {
  const entries = fields.flatMap((field) => (spec[field] === undefined ? [] : [[field, spec[field]]]));
  return Object.fromEntries(entries) as { readonly [F in K]?: NonNullable<CronJobSpec[F]> };
}
