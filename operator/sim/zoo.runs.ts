/** Defects in what claims the runs of a cron job. */
import type { Mutant } from './mutant.ts';

const DECIDE = 'workloads/cronjob/decide.ts';
const MARK = 'workloads/cronjob/mark.ts';

const mutants: readonly Omit<Mutant, 'profile'>[] = [
  {
    name: 'own-claims-only',
    breaks: 'A claimed run that has not begun is begun by the next leader of its cluster (schedule 17)',
    edits: [
      {
        file: DECIDE,
        find: "return isClaimed ? { do: 'resume', job }",
        put: "if (isClaimed && claim.term !== arguments[0].term) return undefined; return isClaimed ? { do: 'resume', job }",
      },
    ],
  },
  {
    name: 'parked-run-resumed',
    breaks: 'A run that has begun is never begun again, wherever it was stopped (schedule 17)',
    edits: [
      {
        file: 'workloads/cronjob/jobs.ts',
        find: 'return job.spec.suspend !== true || numberAnnotation(job, annotations.term) !== undefined;',
        put: 'return job.spec.suspend !== true;',
      },
    ],
  },
  {
    name: 'parked-run-in-the-way',
    breaks: 'A run that was stopped midway does not hold up those after it (schedule 17)',
    edits: [
      {
        file: DECIDE,
        find: 'job.spec.suspend === true && hasBegun(job) && !isJobOver(job));\n  if (parked)',
        put: 'false);\n  if (parked)',
      },
    ],
  },
  {
    name: 'only-jobs-that-are-there',
    breaks: 'A due run whose Job is missing gets one (schedule 17)',
    edits: [
      { file: 'workloads/cronjob/instants.ts', find: "if (!schedule || 'everyMs' in schedule)", put: 'if (true)' },
    ],
  },
  {
    name: 'lost-ledger-from-the-stamp',
    breaks: 'Without its ledger a cluster does not know what others have run: it begins anew (schedule 17)',
    edits: [{ file: MARK, find: 'Math.max(stamped, isAlone ? 0 : now)', put: 'stamped' }],
  },
  {
    name: 'old-ledger-trusted',
    breaks: 'A ledger from before the store may have lost writes does not say what has run since (schedule 17)',
    edits: [{ file: MARK, find: 'mayBeOld && !isAlone ? now : 0', put: '0' }],
  },
  {
    name: 'unknown-run-anew',
    breaks: 'What another cluster has claimed may have begun, and is not begun again (schedule 17)',
    edits: [
      {
        file: DECIDE,
        find: 'ledger: { ...ledger, claims, activation: { clusterId, at: now } }',
        put: 'ledger: { ...ledger, claims, mark: Math.min(ledger.mark, ...lost.map((each) => each.instant - 1)), activation: { clusterId, at: now } }',
      },
      { file: MARK, find: 'return isStamped ?', put: 'return true ?' },
    ],
  },
  {
    name: 'missed-while-parked',
    breaks: 'Runs that were due while the cron job was parked are caught up on, not those that its user suspended',
    edits: [{ file: DECIDE, find: 'return isParked(cronJob) ? undefined : ', put: 'return ' }],
  },
  {
    name: 'next-run-beside-the-last',
    breaks: 'A run waits until the pods of the one before have ended, whatever has become of its Job',
    edits: [{ file: DECIDE, find: '|| pods.some((pod) => !isGone(pod) && !isConfirmedGone(pod))', put: '' }],
  },
  {
    name: 'begun-unclaimed-unseen',
    breaks: 'A run that began without a claim is never begun again (schedule 17)',
    edits: [{ file: DECIDE, find: 'if (!first) return undefined;', put: 'if (first || !first) return undefined;' }],
  },
  {
    name: 'asked-by-its-name',
    breaks: 'A run that a person asks for takes place, whatever the name of its Job (schedule 17)',
    edits: [
      {
        file: 'workloads/cronjob/jobs.ts',
        find: "notes[INSTANTIATE] === 'manual' || !MINUTES.test(minutes)",
        put: '!MINUTES.test(minutes)',
      },
    ],
  },
  {
    name: 'asked-run-beside-another',
    breaks: 'A run that a person asks for waits until nothing else of the workload runs (schedule 17)',
    edits: [{ file: DECIDE, find: 'const asked = job && isFree', put: 'const asked = job' }],
  },
  {
    name: 'far-mark-believed',
    breaks: 'A mark that is ahead of all clocks keeps back no run (schedule 17)',
    edits: [{ file: MARK, find: 'return instant <= now + AHEAD_MS;', put: 'return instant <= now + Infinity;' }],
  },
  {
    name: 'runs-by-the-own-clock',
    breaks: "A run is due by the API server's time",
    edits: [{ file: 'cluster/cluster-time.ts', find: '> DOUBT_MS ? Math.floor(theirs)', put: '> DOUBT_MS ? mine' }],
  },
];

/** The defects. */
export const runMutants: readonly Mutant[] = mutants.map((each) => ({ ...each, profile: 'clusters, everything' }));
