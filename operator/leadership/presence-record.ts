/** What each controller says of itself, in a cell of its own: JSON, one line. */
import { MAX_NUMBER } from '../api/terms.ts';
import type { Shape } from '../lib/shape.ts';
import { decodeAs, encodeAs, isFlag, isListOf, isName, isOptional, isShaped, isWhole } from '../lib/shape.ts';
import type { ParkingReport } from './activation.ts';
import type { ClusterRef } from './lease-record.ts';
import { isClusterRef } from './lease-record.ts';

/** What a presence cell says. */
export interface PresenceRecord {
  readonly identity: string;
  readonly cluster: ClusterRef;
  /** Highest term of which that cluster has heard, stamped on an object or not. */
  readonly highestStamp: number;
  /** Grows with every rewrite. */
  readonly beat: number;
  /** Namespaces whose workloads are the tenant's unless a label says otherwise. */
  readonly claims?: readonly string[];
  /** The only namespaces that it looks at; absent: all. */
  readonly watches?: readonly string[];
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

/** Of workloads in a report, or of namespaces. */
const MAX_NAMES = 20_000;

const REPORT: Shape<ParkingReport> = {
  term: isWhole(MAX_NUMBER),
  notGone: isListOf(isName, MAX_NAMES),
  byPerson: isOptional(isFlag),
  leaseVersion: isOptional(isName),
};

const SHAPE: Shape<PresenceRecord> = {
  identity: isName,
  cluster: isClusterRef,
  highestStamp: isWhole(MAX_NUMBER),
  beat: isWhole(MAX_NUMBER),
  claims: isOptional(isListOf(isName, MAX_NAMES)),
  watches: isOptional(isListOf(isName, MAX_NAMES)),
  mayLead: isOptional(isFlag),
  priority: isOptional((value) => typeof value === 'number' && Number.isFinite(value)),
  paused: isOptional(isFlag),
  leaving: isOptional(isFlag),
  report: isOptional(isShaped(REPORT)),
};

/** Throws on a record that nobody could read. */
export function encodePresence(record: PresenceRecord): string {
  return encodeAs(SHAPE, record);
}

/** Undefined when the text is anything else than such a record: nobody is known by it. */
export function readPresence(text: string): PresenceRecord | undefined {
  try {
    return decodeAs(SHAPE, text);
  } catch {
    return undefined;
  }
}
