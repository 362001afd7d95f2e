/** What an elector works with. */
import type { CellStore } from '../lease/cell-store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Candidate } from './election.ts';
import type { PermitKeeper } from './permit-keeper.ts';
import type { ClusterView, LeadershipListener, Wishes, Workloads } from './ports.ts';
import type { Presence } from './presence.ts';
import type { Watchdog } from './watchdog.ts';

/** What an elector is made with. */
export interface ElectorOptions {
  readonly tenant: string;
  readonly candidate: Candidate;
  readonly remainsFollower: boolean;
  readonly store: CellStore;
  readonly permit: PermitKeeper;
  readonly presence: Presence;
  readonly cluster: ClusterView;
  /** Present when `candidate.takeover` is: how a tenant that several clusters share is stopped in this one. */
  readonly workloads?: Workloads;
  /** Nobody asks for anything unless told. */
  readonly wishes?: Wishes;
  readonly listener: LeadershipListener;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly logger: Logger;
}
