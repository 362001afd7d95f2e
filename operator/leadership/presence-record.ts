/** What each controller says of itself, in a cell of its own: JSON, one line. */
import type { ParkingReport } from './activation.ts';
import type { ClusterRef } from './lease-record.ts';

export interface PresenceRecord {
  readonly identity: string;
  readonly cluster: ClusterRef;
  /** Highest term of which that cluster has heard, stamped on an object or not. */
  readonly highestStamp: number;
  /** Grows with every rewrite. */
  readonly beat: number;
  /** Namespaces that the tenant claims by `watchNamespaces`. */
  readonly claims?: readonly string[];
  /** It would take the lease: warm, and not told to remain a follower. Absent in records of earlier versions: it may. */
  readonly mayLead?: boolean;
  /** Of its cluster; 0 unless told. */
  readonly priority?: number;
  /** It knows that the tenant is paused. */
  readonly paused?: boolean;
  /** On its way out: it takes nothing over. */
  readonly leaving?: boolean;
  /** Only while the permit of its cluster has ended. */
  readonly report?: ParkingReport;
}

/** Milliseconds after which a record that was not rewritten belongs to a process that will not come back under this identity. */
export const FORGOTTEN_MS = 3_600_000;

export function decodePresence(text: string): PresenceRecord {
  return JSON.parse(text) as PresenceRecord;
}
