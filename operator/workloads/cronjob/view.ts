/** What is known of the runs of a cron job when the next step is decided, and what a step can be. */
import type { CronJob, Job } from '../../api/children.ts';
import type { Pod } from '../../api/kubernetes.ts';
import type { CronLedger } from '../../ledger/cron-ledger.ts';
import type { CatchUp } from './catch-up.ts';
import type { Note } from './notes.ts';

/** One step for the runs of a cron job. */
export type Move =
  | { readonly do: 'write'; readonly ledger: CronLedger; readonly notes?: readonly Note[] }
  /** On the CronJob: what the ledger says must survive the loss of the ledger, and people want to see it. */
  | { readonly do: 'stamp'; readonly mark: number; readonly lastRun: number | undefined }
  | { readonly do: 'create'; readonly instant: number }
  | { readonly do: 'resume'; readonly job: Job }
  | { readonly do: 'remove'; readonly job: Job; readonly reason: string; readonly note?: Note };

/** What is known of the runs. */
export interface RunsView {
  readonly ledger: CronLedger | undefined;
  /** The store may have lost writes since the ledger was written. */
  readonly mayBeOld: boolean;
  /** No other cluster shares the tenant, so what this one remembers is all that has run. */
  readonly isAlone: boolean;
  readonly cronJob: CronJob;
  /** Of this CronJob, none that is being deleted. */
  readonly jobs: readonly Job[];
  /** Names at which the API server has something else, which stands in the way of a Job. */
  readonly taken: ReadonlySet<string>;
  /** Of its runs, also of those whose Job is being deleted or has gone. */
  readonly pods: readonly Pod[];
  /** Of the workload, milliseconds since the epoch: what was due before does not concern it. */
  readonly createdAt: number;
  readonly clusterId: string;
  readonly term: number;
  readonly catchUp: CatchUp;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The same with a ledger. */
export type Known = RunsView & { readonly ledger: CronLedger };
