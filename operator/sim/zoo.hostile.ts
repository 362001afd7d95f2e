/** Defects of the kinds of fault that hostile inputs, refused writes and lost replies once showed. */
import type { Mutant } from './mutant.ts';

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
];
