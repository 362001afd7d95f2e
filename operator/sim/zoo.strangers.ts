/** Defects in what is done where single kinds of writes are refused, and others delete and edit objects. */
import type { Mutant } from './mutant.ts';

const STRANGERS = 'wide, strangers';

/** The defects. */
export const strangerMutants: readonly Mutant[] = [
  {
    name: 'one-refusal-stops-stopping',
    breaks: 'What cannot be stopped keeps nothing else running',
    profile: STRANGERS,
    edits: [
      {
        file: 'reconcile/tenant-workloads.ts',
        find: 'await this.#parkAll(found.flat());',
        put: 'for (const each of found) await this.#parkAll(each);',
      },
    ],
  },
  {
    name: 'deleted-permit-forgotten',
    breaks:
      'Who deletes the permit of a cluster makes none of its controllers forget until when workloads may run there',
    profile: STRANGERS,
    edits: [
      {
        file: 'leadership/permit-keeper.ts',
        find: 'found?.permit ?? this.#remembered',
        put: "found?.permit ?? 'none'",
      },
    ],
  },
];
