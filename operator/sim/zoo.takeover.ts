/** Defects in what is believed of an earlier time: by who takes over, and by who hands over. */
import type { Mutant } from './mutant.ts';

/** The defects. */
export const takeoverMutants: readonly Mutant[] = [
  {
    name: 'drain-forgotten-at-takeover',
    breaks: 'Who takes over says how long the pods may take to stop that the last holder began (schedule 6)',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'leadership/decide.ts',
        find: 'drainMs: Math.max(facts.drainMs, unfinishedDrainMs(previous, candidate)),',
        put: 'drainMs: facts.drainMs,',
      },
    ],
  },
  {
    name: 'names-of-older-terms',
    breaks: 'Only the names in reports of the term that waits say what may still run (schedule 10)',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'leadership/activation.ts',
        find: 'report.ageMs < ttlMs && report.term >= term,',
        put: 'report.ageMs < ttlMs,',
      },
    ],
  },
  {
    name: 'grant-of-another-term',
    breaks: 'A grant is for the term in which it was asked for (schedule 14)',
    profile: 'network',
    edits: [{ file: 'leadership/guard.ts', find: 'if (!term || term !== before)', put: 'if (!term)' }],
  },
  {
    name: 'old-read-of-the-permit',
    breaks: 'An answer about the permit counts no more when a later call has been answered (schedule 2)',
    profile: 'clusters, network',
    edits: [
      {
        file: 'leadership/permit-keeper.ts',
        find: 'if (number > this.#counted) this.#know(',
        put: 'this.#know(',
      },
    ],
  },
  {
    name: 'lost-acquisition',
    breaks: 'Whose acquisition was carried out leads, although the reply was lost (schedule 12)',
    profile: 'network',
    edits: [
      {
        file: 'leadership/observe.ts',
        find: 'if (held || !sighting || !tried ||',
        put: 'if (true || held || !sighting || !tried ||',
      },
    ],
  },
  {
    name: 'dead-standby',
    breaks: 'Who has not been heard of for a lease is no standby (schedule 8)',
    profile: 'clusters, crash',
    edits: [
      {
        file: 'leadership/presence.ts',
        find: 'return mayLead && !leaving && ageMs < ttlMs;',
        put: 'return mayLead && !leaving;',
      },
    ],
  },
  {
    name: 'alive-by-the-store-clock',
    breaks: "Who has written nothing for a lease is not alive, although the store's clock was set back (schedule 8)",
    profile: 'clusters, everything',
    edits: [
      {
        file: 'leadership/record-ages.ts',
        find: 'Math.max(cell.ageMs, askedAt - this.since(cell.key))',
        put: 'cell.ageMs',
      },
    ],
  },
];
