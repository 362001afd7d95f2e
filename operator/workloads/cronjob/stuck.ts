/**
 * A run that will never start: none of its containers ever did, and what the spec asks for has changed since. It would be in
 * the way of all that come after it. Pure.
 */
import type { CronJob, Job } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { annotations } from '../../api/group.ts';
import type { ContainerStatus, Pod } from '../../api/kubernetes.ts';
import type { Sight, Step } from '../../reconcile/child-look.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { controllerOf } from '../../reconcile/metadata.ts';
import { starting } from '../../reconcile/pod-trouble.ts';
import { isOf } from './jobs.ts';

/** How long Kubernetes may take to make the first pod of a Job, milliseconds. */
const NO_PODS_MS = 10_000;

/** Ends it. Its successor is made from the new spec. */
export function repair({ owner, live, now }: Sight): Step | undefined {
  const cronJob = live.get<CronJob>(childTypes.cronJobs, owner.name);
  if (!cronJob) return undefined;
  const pods = live.list<Pod>(childTypes.pods);
  const stuck = live
    .list<Job>(childTypes.jobs)
    .filter((job) => isOf(job, cronJob) && job.spec.suspend !== true && !isJobOver(job) && isOutdated(job, cronJob))
    .find((job) =>
      isStuck(
        job,
        pods.filter((pod) => controllerOf(pod)?.uid === job.metadata.uid),
        now,
      ),
    );
  if (!stuck) return undefined;
  const action = { type: 'stop', live: stuck, awaited: true, reason: 'NeverStarted' } as const;
  return { child: { type: childTypes.jobs, hash: '' }, action };
}

function isOutdated(job: Job, cronJob: CronJob): boolean {
  const [ran, wanted] = [job, cronJob].map(({ metadata }) => metadata.annotations?.[annotations.templateHash]);
  return ran !== undefined && ran !== wanted;
}

/** A pod that is only slow, such as one whose image is being pulled, is given its time. */
function isStuck({ metadata, status }: Job, pods: readonly Pod[], now: number): boolean {
  if ((status?.failed ?? 0) + (status?.succeeded ?? 0) > 0 || pods.some(hasStarted)) return false;
  if (pods.length > 0) return pods.some((pod) => starting(pod).problem !== undefined);
  return (status?.active ?? 0) === 0 && now - Date.parse(metadata.creationTimestamp ?? '') > NO_PODS_MS;
}

/** Whatever it does besides, for instance the work of an init container, must not be cut short. */
function hasStarted({ status }: Pod): boolean {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return (status?.phase ?? 'Pending') !== 'Pending' || containers.some(everRan);
}

function everRan({ state, lastState, restartCount = 0 }: ContainerStatus): boolean {
  return restartCount > 0 || [state, lastState].some((each) => each?.running ?? each?.terminated);
}
