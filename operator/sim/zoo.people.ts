/** Defects in what people ask of a tenant: hand-overs, priorities, and their word that a cluster has stopped. */
import type { Mutant } from './mutant.ts';

const PEOPLE = 'clusters, people';
const obedience = 'leadership/obedience.ts';
const failback = 'leadership/failback.ts';

/** The defects. */
export const peopleMutants: readonly Mutant[] = [
  {
    name: 'order-for-any-term',
    breaks: 'An order to hand over counts in the term that it was given for',
    profile: PEOPLE,
    edits: [
      {
        file: obedience,
        find: 'handOver !== undefined && handOver.term === leader.term?.number',
        put: 'handOver !== undefined',
      },
    ],
  },
  {
    name: 'order-expects-nothing',
    breaks: 'An order is refused when another term has begun than the one that was meant',
    profile: PEOPLE,
    edits: [
      {
        file: 'leadership/tenant-desk.ts',
        find: 'isOther || (expected.term !== undefined && expected.term !== record.term)',
        put: 'isOther',
      },
    ],
  },
  {
    name: 'fails-back-to-an-equal',
    breaks: 'A leader fails back to a cluster of higher priority only',
    profile: PEOPLE,
    edits: [{ file: failback, find: '(peer.priority ?? 0) > priority', put: '(peer.priority ?? 0) >= priority' }],
  },
  {
    name: 'never-fails-back',
    breaks: 'With `failback: auto` the cluster of the highest priority leads in the end',
    profile: PEOPLE,
    edits: [{ file: failback, find: '?? now) >= delayMs', put: '?? now) > 1e12' }],
  },
  {
    name: 'word-against-the-living',
    breaks: 'That a cluster has stopped is not believed while it leads or its controllers live',
    profile: PEOPLE,
    edits: [
      { file: 'leadership/confirmation.ts', find: 'if (!isLeader && living.length === 0) return;', put: 'return;' },
    ],
  },
];
