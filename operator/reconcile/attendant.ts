/** What a kind looks after besides its children, when nothing is to be done to those. */
import type { Sight } from './child-look.ts';
import type { Grant } from './reconciler.ts';
import type { Report } from './status.ts';

/** Looks after something besides the children. */
export interface Attendant<S> {
  /** What there is to say; `report` is what is known without it. What is refused is said, every other failure is thrown. */
  attend(sight: Sight, spec: S, report: Report, grant: Grant): Promise<Report>;
}
