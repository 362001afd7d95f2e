/** Defects in how several clusters share a tenant: permits, parking, reports, and who is waited for. */
import type { Mutant } from './mutant.ts';

const activation = 'leadership/activation.ts';
const decide = 'leadership/decide.ts';
const departure = 'leadership/departure.ts';
const elector = 'leadership/elector.ts';
const tenure = 'leadership/tenure.ts';
const warden = 'leadership/warden.ts';
const apply = 'reconcile/apply.ts';
const cluster = 'sim/cluster.ts';

const permits: readonly Mutant[] = [
  {
    name: 'no-permit',
    breaks: 'The API server creates no pod once the permit has ended (schedule 14)',
    profile: 'clusters, everything',
    edits: [{ file: cluster, find: 'if (this.refusesPods) throw', put: 'if (false) throw' }],
  },
  {
    name: 'permit-stamped-at-arrival',
    breaks: 'A permit counts from before the renewal was sent that it goes back to',
    profile: 'clusters, network',
    edits: [
      {
        file: 'sim/permit-trace.ts',
        find: 'this.permit = permit;',
        put: 'this.permit = permit.renewedAt ? { ...permit, renewedAt: time } : permit;',
      },
      {
        file: 'sim/permit-trace.ts',
        find: 'const ends = now + (last - time) / rate;',
        put: 'const ends = now + permit.ttlMs / rate;',
      },
    ],
  },
  {
    name: 'permit-before-others-are-parked',
    breaks: 'The permit is made good only when every other cluster has been waited for',
    profile: 'clusters, crash',
    edits: [{ file: tenure, find: 'if (!outlook || outlook.isBlocked) return false;', put: '' }],
  },
  {
    name: 'grace-not-announced',
    breaks: 'A pod that takes longer to stop starts only when the record says so (schedule 6)',
    profile: 'clusters, everything',
    edits: [
      { file: apply, find: 'if (grant && startsPods(action))', put: 'if (grant && startsPods(action) && false)' },
    ],
  },
  {
    name: 'nobody-parks',
    breaks: 'Whoever finds the permit of its cluster ended parks (schedules 1, 2)',
    profile: 'clusters, crash',
    edits: [{ file: warden, find: 'if (this.#hasEnded()) await this.#park(seen);\n    else this.#rest();', put: '' }],
  },
  {
    name: 'holder-does-not-park',
    breaks: 'A controller that believes it holds parks as well (schedule 14)',
    profile: 'clusters, everything',
    edits: [
      {
        file: warden,
        find: '    await this.#parkInDoubt();\n',
        put: '    if (seen?.holder === this.#options.candidate.identity) return;\n',
      },
    ],
  },
  {
    name: 'parks-only-earlier-stamps',
    breaks: 'Parking goes by the permit, not by stamps (schedule 3)',
    profile: 'clusters, everything',
    edits: [
      {
        file: cluster,
        find: '.filter(({ metadata }) => !metadata.deletionTimestamp);',
        put: '.filter((live) => !live.metadata.deletionTimestamp && termOf(live) < (this.permit?.term ?? 0));',
      },
    ],
  },
];

const waiting: readonly Mutant[] = [
  {
    name: 'wait-without-drain',
    breaks: 'A silent cluster is waited for as long as its pods may take to stop',
    profile: 'clusters, network',
    edits: [{ file: activation, find: 'sinceMs < atLeast(ttlMs + drainMs)', put: 'sinceMs < atLeast(ttlMs)' }],
  },
  {
    name: 'old-report',
    breaks: 'A report counts only when its author had seen the term that waits',
    profile: 'clusters, crash',
    edits: [{ file: activation, find: '!== true) return report.term >= term;', put: '!== true) return true;' }],
  },
  {
    name: 'report-does-not-hold-back',
    breaks: 'A living controller that reports pods holds the next cluster back (schedule 10)',
    profile: 'clusters, network',
    edits: [
      { file: activation, find: 'ageMs < ttlMs && notGone.length > 0)) return true;', put: 'false)) return true;' },
    ],
  },
  {
    name: 'nothing-held-back',
    breaks: 'What may still run elsewhere is not begun, although all else is (schedule 10)',
    profile: 'clusters, everything',
    edits: [{ file: activation, find: 'heldBack: new Map(heldBack) }', put: 'heldBack: new Map() }' }],
  },
  {
    name: 'one-holds-back-all',
    breaks: 'A pod that does not end holds back its own workload only (schedule 10)',
    profile: 'clusters, everything',
    edits: [
      {
        file: activation,
        find: 'isBlocked: named.some(([, names]) => names === undefined)',
        put: 'isBlocked: pending.length > 0',
      },
    ],
  },
  {
    name: 'parked-is-stopped',
    breaks: 'A cluster that gave the lease away before all had ended is waited for (schedule 10)',
    profile: 'clusters, everything',
    edits: [
      { file: decide, find: "const hasStopped = release === 'stopped'", put: "const hasStopped = release !== 'none'" },
    ],
  },
  {
    name: 'bounded-although-strict',
    breaks: 'With the takeover `strict` nothing but a report ends the wait',
    profile: 'clusters, crash',
    edits: [{ file: activation, find: "takeover === 'strict' || ", put: '' }],
  },
  {
    name: 'pending-forgotten',
    breaks: 'Whoever has not been waited for to the end stays in the record (schedule 4)',
    profile: 'clusters, crash',
    edits: [{ file: decide, find: 'return [...last, ...others];', put: 'return last;' }],
  },
  {
    name: 'last-holder-not-waited-for',
    breaks: 'Who takes over from another cluster waits for it',
    profile: 'clusters, crash',
    edits: [{ file: decide, find: 'return [...last, ...others];', put: 'return others;' }],
  },
  {
    name: 'single-by-the-timer',
    breaks: 'While no permit stands, no other cluster takes over by the timer (schedule 7)',
    profile: 'clusters, crash',
    edits: [
      {
        file: decide,
        find: "isGivenAway(record) || (scope === 'multi' && takeover !== undefined) || isConfirmed(sighting, facts);",
        put: 'scope !== undefined && takeover !== undefined;',
      },
    ],
  },
  {
    name: 'adopt-across-clusters',
    breaks: 'What is left for adoption is adopted in its own cluster only',
    profile: 'clusters, crash',
    edits: [
      {
        file: decide,
        find: 'record.holder === null && (!foreign || isGivenAway(record))',
        put: 'record.holder === null',
      },
      {
        file: decide,
        find: 'isForeign(record, candidate) && !hasStopped ?',
        put: 'isForeign(record, candidate) && record.holder !== null ?',
      },
    ],
  },
];

const leaving: readonly Mutant[] = [
  {
    name: 'no-object-is-no-process',
    breaks: 'A pod whose object went without the word of its kubelet may run on (schedule 11)',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'reconcile/vanished.ts',
        find: 'this.#pods.set(uidOf(pod), { pod: remnantOf(pod) });',
        put: '',
      },
    ],
  },
  {
    name: 'first-sign-of-the-node',
    breaks: 'A node that comes back has ended nothing yet of what has no object any more (schedule 11)',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'reconcile/vanished.ts',
        find: 'return renewedAt - aliveSince >= podGraceMs(pod) + NOTICE_MS ||',
        put: 'return renewedAt >= aliveSince ||',
      },
    ],
  },
  {
    name: 'parks-by-an-old-look',
    breaks: 'A process that stood still since it asked for the permit asks again before it parks',
    profile: 'clusters, crash',
    edits: [{ file: warden, find: 'this.#readAt = askedAt;', put: 'this.#readAt = this.#options.clock.monotonic();' }],
  },
  {
    name: 'leaves-by-an-old-lease',
    breaks: 'A process that stood still while it left stops nothing that is not its own any more',
    profile: 'clusters, crash',
    edits: [
      {
        file: departure,
        find: 'return held && this.#options.clock.monotonic() < held.validUntil ? held : undefined;',
        put: 'return held;',
      },
    ],
  },
  {
    name: 'leaves-without-an-heir',
    breaks: 'Who leaves what runs to a standby stays until somebody leads (schedule 8)',
    profile: 'clusters, crash',
    edits: [{ file: departure, find: 'if (this.#lingersUntil === undefined) return true;', put: 'return true;' }],
  },
  {
    name: 'hands-over-unstopped',
    breaks: 'What another cluster is to start has been stopped',
    profile: 'clusters, crash',
    edits: [
      {
        file: tenure,
        find: "return heir && isStandby(heir, candidate.timing.ttlMs) ? undefined : { release: 'adopt' };",
        put: "return { release: 'stopped', successor: leaving.to };",
      },
    ],
  },
  {
    name: 'hands-over-in-its-term',
    breaks: 'Nothing is started any more once a hand-over has begun',
    profile: 'clusters, crash',
    edits: [{ file: elector, find: 'this.#endTerm(because);', put: 'if (how.isFinal) this.#endTerm(because);' }],
  },
];

const reports: readonly Mutant[] = [
  {
    name: 'stopped-unverified',
    breaks: 'The lease is released as stopped only when nothing runs any more',
    profile: 'clusters, crash',
    edits: [
      { file: tenure, find: 'return (await workloads.running(this.#call())).length === 0;', put: 'return true;' },
    ],
  },
  {
    name: 'reported-unverified',
    breaks: 'A report follows a look, not the request to stop',
    profile: 'clusters, crash',
    edits: [
      {
        file: warden,
        find: 'const notGone = await workloads.running(this.#call());',
        put: 'const notGone: readonly string[] = [];',
      },
    ],
  },
  {
    name: 'verified-from-the-cache',
    breaks: 'The look is a list of its own, not the cache',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'sim/controller.ts',
        find: '...cluster.workloads(identity, this.toCluster, () => this.#awaited()),',
        put: `...cluster.workloads(identity, this.toCluster, () => this.#awaited()),
        running: async () => ['x', 'y', 'z'].filter((name) => this.informer.get(name)),`,
      },
    ],
  },
  {
    name: 'permit-not-ended-before-the-look',
    breaks: 'Before the look that counts, nothing more can start (schedules 5, 9)',
    profile: 'clusters, everything',
    edits: [
      {
        file: tenure,
        find: 'await permit.end(({ term }) => term <= (held()?.record.term ?? 0), this.#call());',
        put: '',
      },
      { file: warden, find: 'await permit.end(() => this.#hasEnded(), this.#call());', put: '' },
    ],
  },
];

/** The defects. */
export const clusterMutants: readonly Mutant[] = [...permits, ...waiting, ...leaving, ...reports];
