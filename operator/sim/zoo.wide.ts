/** Defects in what lies between the election and the cluster: stopping, permits, reconciling, presence. Whole API servers find them. */
import type { Mutant } from './mutant.ts';

const warden = 'leadership/warden.ts';
const parking = 'reconcile/parking.ts';
const awaited = 'reconcile/awaited-pods.ts';
const NODES = 'wide, nodes';
const HOSTILE = 'wide, hostile';

const stopping: readonly Mutant[] = [
  {
    name: 'replicas-not-parked',
    breaks: 'What makes pods is stopped with them',
    profile: HOSTILE,
    edits: [
      {
        file: parking,
        find: 'return replicasOf(object) === 0 ? undefined : park(object, { replicas: 0 });',
        put: 'return undefined;',
      },
    ],
  },
  {
    name: 'released-before-it-ended',
    breaks: 'The name of a pod is set free only on the word of its kubelet',
    profile: NODES,
    edits: [
      {
        file: parking,
        find: 'const hasStopped = isGone(pod) && !endedBeforeDeletion(pod);',
        put: 'const hasStopped = true;',
      },
    ],
  },
  {
    name: 'unseen-unnoted',
    breaks: 'What vanished while no controller was there is awaited',
    profile: NODES,
    edits: [{ file: awaited, find: 'if (live) vanished.noted(noted.running, live);', put: '' }],
  },
  {
    name: 'pods-never-looked-at',
    breaks: 'A report follows a look at pods, not only at what makes them',
    profile: HOSTILE,
    edits: [
      {
        file: parking,
        find: 'return !isGone(object as Pod) && !isConfirmedGone(object as Pod);',
        put: 'return false;',
      },
    ],
  },
];

const permits: readonly Mutant[] = [
  {
    name: 'permit-without-a-version',
    breaks: 'A permit is written over the version that was read',
    profile: 'wide, network',
    edits: [
      { file: 'cluster/permit-lease.ts', find: '...(resourceVersion !== undefined && { resourceVersion }),', put: '' },
    ],
  },
  {
    name: 'permit-longer-than-the-lease',
    breaks: 'A permit in whole seconds is never longer than the lease',
    profile: 'wide, crash',
    edits: [
      {
        file: 'cluster/permit-lease.ts',
        find: 'Math.max(1, Math.floor(ttlMs / 1000))',
        put: 'Math.ceil(ttlMs / 1000) + 5',
      },
    ],
  },
  {
    name: 'permit-conflict-ignored',
    breaks: 'A permit that somebody else has written meanwhile is read anew',
    profile: 'wide, network',
    edits: [
      {
        file: 'cluster/permit-lease.ts',
        find: 'if (hasCode(error, 409) || hasCode(error, 404)) return undefined;',
        put: "if (hasCode(error, 409) || hasCode(error, 404)) return expected ?? '1';",
      },
    ],
  },
];

const reconciling: readonly Mutant[] = [
  {
    name: 'pod-let-go-while-it-runs',
    breaks: 'The next pod of a process is made when the one before has ended',
    profile: NODES,
    edits: [{ file: 'workloads/process/decide.ts', find: 'if (!gone) return undefined;', put: '' }],
  },
  {
    name: 'replicas-stay-at-zero',
    breaks: 'What was stopped without a number of pods starts again when its cluster leads',
    profile: 'wide, crash',
    edits: [
      {
        file: 'reconcile/child.ts',
        find: 'return replicas === 0 && wasStopped ? { replicas: 1 } : {};',
        put: 'return {};',
      },
    ],
  },
  {
    name: 'one-namespace-cached',
    breaks: 'Caches follow all namespaces that are to be watched',
    profile: 'wide, crash',
    edits: [
      {
        file: 'app/kinds.ts',
        find: 'const options = { client, clock, logger, random };',
        put: "const options = { client, clock, logger, random, namespace: 'highlander' };",
      },
    ],
  },
  {
    name: 'held-back-is-begun',
    breaks: 'A worker leaves alone what may still run in another cluster',
    profile: HOSTILE,
    edits: [
      {
        file: 'controller/worker.ts',
        find: 'if (grant.heldBack?.has(workloadName(reconciler.kind, key)))',
        put: 'if (false)',
      },
    ],
  },
];

const presence: readonly Mutant[] = [
  {
    name: 'report-of-a-later-term',
    breaks: 'A report counts for the term that was read before the look',
    profile: HOSTILE,
    edits: [
      {
        file: warden,
        find: 'presence.setReport({ term: seen.term, notGone });',
        put: 'presence.setReport({ term: (this.#options.lease.seen ?? seen).term + 1, notGone: [] });',
      },
    ],
  },
];

const standing: readonly Mutant[] = [
  {
    name: 'answered-watch-is-no-contact',
    breaks: 'An API server that answers a watch can be reached, although it has nothing to tell',
    profile: 'wide, network',
    edits: [
      {
        file: 'cluster/reflector.ts',
        find: 'const onOpen = (): void => this.#heard();',
        put: 'const onOpen = (): void => {};',
      },
    ],
  },
  {
    name: 'stands-without-proof',
    breaks: 'Only whose cluster has just taken a write stands for election',
    profile: HOSTILE,
    edits: [
      {
        file: 'leadership/decide.ts',
        find: 'return provedAt !== undefined && now - provedAt < timing.ttlMs;',
        put: 'return true;',
      },
    ],
  },
  {
    name: 'never-given-up',
    breaks: 'A lease is given up whose holder can write nothing in its cluster',
    profile: HOSTILE,
    edits: [
      {
        file: 'leadership/ability.ts',
        find: 'if (this.#failingSince === undefined || clock.monotonic() - this.#failingSince <= this.#patienceMs)',
        put: 'if (true)',
      },
    ],
  },
];

/**
 * Once known to unit tests only. Three that survive are no defects: without waiting for the renewal of the permit that is
 * under way, the end of it is still written after that, in order, and the fence sees a later one; a report that is made or
 * kept although the permit is good again carries the term that was read before, and a later term does not go by it; a late
 * reply tells that the store has kept the lease, and the term that it belongs to has ended by its own clock.
 */
const survivors: readonly Mutant[] = [
  {
    name: 'drain-never-grows',
    breaks: 'The lease says how long pods may take to stop that are about to start',
    profile: 'wide, crash',
    edits: [
      {
        file: 'leadership/decide.ts',
        find: 'drainMs: Math.max(held.record.drainMs, facts.drainMs),',
        put: 'drainMs: held.record.drainMs,',
      },
    ],
  },
];

/** The defects. */
export const wideMutants: readonly Mutant[] = [
  ...stopping,
  ...permits,
  ...reconciling,
  ...presence,
  ...standing,
  ...survivors,
];
