/** Defects of the kinds of fault that hostile inputs, refused writes and lost replies once showed. */
import type { Mutant } from './mutant.ts';

/** The defects. */
export const hostileMutants: readonly Mutant[] = [
  {
    name: 'nobody-waited-for-after-a-loss',
    breaks: 'Who leads after the record was lost waits for every cluster that lives (schedule 10)',
    profile: 'clusters, everything',
    edits: [
      {
        file: 'leadership/decide.ts',
        find: "if ((sighting && finding === undefined) || permit?.scope !== 'multi') return known;",
        put: 'return known;',
      },
    ],
  },
  {
    name: 'loss-without-drain',
    breaks: 'The wait after a loss is as long as pods may take to stop',
    profile: 'clusters, everything',
    edits: [
      {
        file: 'leadership/decide.ts',
        find: 'return from + atLeast(ttlMs + Math.max(facts.drainMs, seenDrainMs, marked));',
        put: 'return from + atLeast(ttlMs);',
      },
    ],
  },
  {
    name: 'clusters-by-name',
    breaks: 'Clusters are told apart by their ids',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'leadership/decide.ts',
        find: 'return record.cluster.id !== candidate.cluster.id;',
        put: 'return record.cluster.name !== candidate.cluster.name;',
      },
    ],
  },
];
