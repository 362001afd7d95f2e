/** CronJobs with the policy Forbid, in Etc/UTC and of each minute; and Jobs of one pod. */
import { childTypes } from '../../api/children.ts';
import type { Job } from '../../api/children.ts';
import type { KubeObject } from '../../cluster/cluster-client.ts';
import { isJobOver } from '../../reconcile/ending.ts';
import { timestamp } from '../../reconcile/status.ts';
import type { Stored } from '../api/json.ts';
import { asJson } from '../api/json.ts';
import type { Ground } from './loop.ts';
import {
  controlledBy,
  dependentsOf,
  isActive,
  isFinal,
  KUBERNETES,
  ofType,
  podFrom,
  remove,
  startLoop,
  writeStatus,
} from './loop.ts';

const { cronJobs, jobs, pods } = childTypes;
/** A minute, in milliseconds. */
export const MINUTE_MS = 60_000;
/** So many Jobs that have ended are kept. */
const HISTORY = 3;

/** Starts the controllers of CronJobs and Jobs. */
export function startJobs(ground: Ground): void {
  const { server, world, isUp } = ground;
  startLoop({
    ground,
    concerns: (change) => ofType(jobs, change),
    sync(at) {
      const live = server.get(jobs, at);
      if (live && !live.metadata.deletionTimestamp) syncJob(ground, live);
    },
  });
  const look = () => {
    if (isUp())
      for (const each of server.all(cronJobs)) if (!each.metadata.deletionTimestamp) syncCronJob(ground, each);
    world.after(world.chance.between(800, 2000), look);
  };
  look();
}

function syncJob({ server, world }: Ground, live: Stored): void {
  const mine = dependentsOf(server, pods, live);
  const running = mine.filter((pod) => !isFinal(pod));
  const isSuspended = live.spec?.['suspend'] === true;
  if (isJobOver(live as unknown as Job)) return;
  const done = mine.find((pod) => pod.status?.['phase'] === 'Succeeded' && !pod.metadata.deletionTimestamp);
  if (done) return writeStatus(server, jobs, live, { active: 0, conditions: [{ type: 'Complete', status: 'True' }] });
  if (isSuspended) for (const pod of running.filter(isActive)) remove(server, pods, pod);
  else if (running.length === 0) {
    const suffix = Math.floor(world.chance.between(0, 36 ** 5)).toString(36);
    server.create(pods, podFrom(live, live.spec?.['template'], `${live.metadata.name}-${suffix}`), KUBERNETES);
  }
  writeStatus(server, jobs, live, { active: running.length, ...(!isSuspended && { startTime: server.now }) });
}

/** Of the instants that were missed the last one, unless a Job is in its way. */
function syncCronJob({ server, time }: Ground, live: Stored): void {
  const mine = dependentsOf(server, jobs, live);
  const over = mine.filter((job) => isJobOver(job as unknown as Job) && !job.metadata.deletionTimestamp);
  for (const job of over.slice(0, -HISTORY)) remove(server, jobs, job);
  if (live.spec?.['suspend'] === true) return;
  const instant = Math.floor(time() / MINUTE_MS) * MINUTE_MS;
  const last = Date.parse((live.status?.['lastScheduleTime'] ?? live.metadata.creationTimestamp) as string);
  if (instant <= last || mine.some((job) => !isJobOver(job as unknown as Job))) return;
  const name = `${live.metadata.name}-${instant / MINUTE_MS}`;
  if (!server.get(jobs, { ...live.metadata, name })) server.create(jobs, newJob(live, name, instant), KUBERNETES);
  writeStatus(server, cronJobs, live, { lastScheduleTime: timestamp(instant) });
}

function newJob(owner: Stored, name: string, instant: number): KubeObject {
  const { metadata, spec } = asJson(owner.spec?.['jobTemplate']);
  const { labels, annotations } = asJson(metadata) as { labels?: object; annotations?: object };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      labels,
      annotations: {
        ...annotations,
        'batch.kubernetes.io/cronjob-scheduled-timestamp': timestamp(instant),
      },
      ownerReferences: controlledBy(owner),
    },
    spec,
  } as KubeObject;
}
