/** A defect to plant in the production code, as edits of its text. */
import type { Profile } from './profiles.ts';

interface Edit {
  /** End of the file's path below `operator/`. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  readonly put: string;
}

/** A defect, and where it shows. */
export interface Mutant {
  readonly name: string;
  /** The rule that it breaks, or the known defect that it is. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Where it is most likely to show; default: by each seed. */
  readonly profile?: Profile;
}
