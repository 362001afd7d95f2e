/**
 * The election as a pure state machine: what was seen goes in, the next step comes out. It knows no store, no clock
 * and no promise; the elector drives it in production, the simulator on a virtual timeline. All times are milliseconds
 * on this process's monotonic clock. Rules and their reasons: the lease protocol in docs/protocol.
 */
import type { Incarnation, ReadReply, Version, WriteReply } from '../lease/cell-store.ts';
import type { ClusterRef, LeaseRecord } from './lease-record.ts';
import { decodeRecord } from './lease-record.ts';
import type { Timing } from './timing.ts';
import { atLeast, validityMs } from './timing.ts';

/** Who votes. */
export interface Candidate {
  readonly identity: string;
  readonly cluster: ClusterRef;
  readonly timing: Timing;
}

/** What the cluster says about earlier life of the tenant, besides the store. */
export type Marker = 'unknown' | 'none' | { readonly drainMs: number };

/** What the machine cannot see in the store; read afresh for each decision. */
export interface Facts {
  /** This controller may lead: caches warm, not leaving, not told to remain a follower. */
  readonly eligible: boolean;
  /** Highest term on any object of the own cluster and in any presence record. */
  readonly highestStamp: number;
  /** Longest time that the tenant's pods may take to stop. */
  readonly drainMs: number;
  readonly marker: Marker;
}

/** The lease cell as last read. */
interface Sighting {
  readonly record: LeaseRecord;
  readonly version: Version;
  readonly incarnation: Incarnation;
  /** Age by the store's clock when the reply arrived. */
  readonly ageMs: number;
  readonly arrivedAt: number;
  /** When this version was first seen by this process. */
  readonly since: number;
}

/** A lease that this process holds. */
export interface Held {
  readonly record: LeaseRecord;
  readonly version: Version;
  readonly incarnation: Incarnation;
  /** Taken before the last acknowledged write was sent. */
  readonly sentAt: number;
  /** From here on nothing may be written. */
  readonly validUntil: number;
}

export interface Election {
  readonly held: Held | undefined;
  /** Why the last lease ended, for people. */
  readonly lostBecause: string | undefined;
  /** `null`: the cell was absent at the last read. */
  readonly sighting: Sighting | null | undefined;
  /** Incarnation and store time of the last read. */
  readonly lastReply:
    | { readonly incarnation: Incarnation; readonly storeTimeMs: number; readonly arrivedAt: number }
    | undefined;
  /** A reply that showed lost writes, so that the same finding does not start its wait again and again. */
  readonly lossSeen: string | undefined;
  /** Writes may have been lost: nobody may acquire before. */
  readonly quarantineFrom: number | undefined;
  readonly nextReadAt: number;
  readonly nextRenewAt: number;
  /** The last call failed, and nothing is tried before that time. */
  readonly failing: boolean;
  readonly notBefore: number;
  /** After a conflict the holder must find out whose write it was. */
  readonly mustResolveConflict: boolean;
  readonly canaryCheckedAt: number | undefined;
}

export type Step =
  | { readonly do: 'wait'; readonly until: number; readonly because: string }
  | { readonly do: 'read' }
  | { readonly do: 'read marker' }
  /** Absence alone proves nothing: first see whether the own presence record has gone as well. */
  | { readonly do: 'check canary' }
  | { readonly do: 'acquire' | 'renew'; readonly record: LeaseRecord; readonly expected: Version | undefined };

export function newElection(now: number): Election {
  return {
    held: undefined,
    lostBecause: undefined,
    sighting: undefined,
    lastReply: undefined,
    lossSeen: undefined,
    quarantineFrom: undefined,
    nextReadAt: now,
    nextRenewAt: now,
    failing: false,
    notBefore: now,
    mustResolveConflict: false,
    canaryCheckedAt: undefined,
  };
}

/** What to do next. The caller applies `expire` first. */
export function decide(election: Election, candidate: Candidate, facts: Facts, now: number): Step {
  const { held, notBefore } = election;
  if (now < notBefore) return { do: 'wait', until: notBefore, because: 'the last call failed' };
  if (held) return decideAsHolder(election, held, facts, now);
  if (now >= election.nextReadAt) return { do: 'read' };
  if (!facts.eligible) return wait(election, 'not a candidate');
  return election.sighting
    ? decideOnRecord({ ...election, sighting: election.sighting }, candidate, facts, now)
    : decideOnAbsence(election, candidate, facts, now);
}

function decideAsHolder(election: Election, held: Held, facts: Facts, now: number): Step {
  if (election.mustResolveConflict) return { do: 'read' };
  if (now >= election.nextRenewAt) {
    return {
      do: 'renew',
      record: { ...held.record, drainMs: Math.max(held.record.drainMs, facts.drainMs) },
      expected: held.version,
    };
  }
  return { do: 'wait', until: Math.min(election.nextRenewAt, held.validUntil), because: 'holding the lease' };
}

function decideOnRecord(
  election: Election & { readonly sighting: Sighting },
  candidate: Candidate,
  facts: Facts,
  now: number,
): Step {
  const { sighting } = election;
  const { record } = sighting;
  const foreign = record.cluster.id !== candidate.cluster.id;
  if (foreign && record.release !== 'stopped') {
    return wait(
      election,
      `last held in another cluster, ${record.cluster.name} (${record.cluster.id}), and not released as stopped`,
    );
  }
  const quarantined = quarantineUntil(election, facts, record.drainMs, Math.max(record.ttlMs, candidate.timing.ttlMs));
  if (quarantined !== undefined && now < quarantined)
    return wait(election, 'the store may have lost writes', quarantined);
  const freeAt = whenFree(sighting, candidate);
  if (freeAt > sighting.arrivedAt) return now >= freeAt ? { do: 'read' } : wait(election, standing(record), freeAt);
  return { do: 'acquire', record: nextTerm(record, election, candidate, facts), expected: sighting.version };
}

function decideOnAbsence(election: Election, candidate: Candidate, facts: Facts, now: number): Step {
  if (facts.marker === 'unknown') return { do: 'read marker' };
  if (facts.marker !== 'none') {
    const until = quarantineUntil(election, facts, 0, candidate.timing.ttlMs);
    if (until === undefined || now < until)
      return wait(election, 'the record is gone but this cluster has seen it', until);
  }
  const checked = election.canaryCheckedAt;
  if (checked === undefined || checked < (election.lastReply?.arrivedAt ?? now)) return { do: 'check canary' };
  return { do: 'acquire', record: nextTerm(undefined, election, candidate, facts), expected: undefined };
}

function wait(election: Election, because: string, until = Infinity): Step {
  return { do: 'wait', until: Math.min(until, election.nextReadAt), because };
}

function standing(record: LeaseRecord): string {
  if (record.holder !== null) return `held by ${record.holder}, term ${record.term}`;
  return `released to ${record.successor ?? 'nobody'}, term ${record.term}`;
}

/** When a record that was read becomes free, if nobody writes it: two witnesses, the store's clock and ours. */
function whenFree(sighting: Sighting, candidate: Candidate): number {
  const { record, since, arrivedAt, ageMs } = sighting;
  if (record.holder === null) {
    const named = record.successor !== undefined && record.successor !== candidate.identity;
    return named ? since + atLeast(2 * candidate.timing.retryPeriodMs) : since;
  }
  const byStore = ageMs > record.ttlMs ? arrivedAt : arrivedAt + atLeast(record.ttlMs - ageMs) + 1;
  const byUs = since + atLeast(record.ttlMs);
  const byUsAlone = since + atLeast(2 * record.ttlMs);
  return Math.min(Math.max(byStore, byUs), byUsAlone);
}

function quarantineUntil(election: Election, facts: Facts, seenDrainMs: number, ttlMs: number): number | undefined {
  if (election.quarantineFrom === undefined) return undefined;
  const marked = typeof facts.marker === 'object' ? facts.marker.drainMs : 0;
  return election.quarantineFrom + atLeast(ttlMs + Math.max(facts.drainMs, seenDrainMs, marked));
}

function nextTerm(
  previous: LeaseRecord | undefined,
  election: Election,
  candidate: Candidate,
  facts: Facts,
): LeaseRecord {
  const floor = previous ? previous.term : Math.floor((election.lastReply?.storeTimeMs ?? 0) / 1000);
  return {
    holder: candidate.identity,
    cluster: candidate.cluster,
    term: Math.max(floor, facts.highestStamp) + 1,
    scope: previous?.scope ?? 'single',
    ttlMs: candidate.timing.ttlMs,
    drainMs: facts.drainMs,
    incarnation: election.lastReply?.incarnation ?? '',
    release: 'none',
    pending: previous?.pending ?? [],
  };
}

/** A reply of the store arrived. Throws when the cell holds something that is no lease record. */
export function sawCell(election: Election, candidate: Candidate, reply: ReadReply, now: number): Election {
  const record = reply.cell ? decodeRecord(reply.cell.value) : undefined;
  const previous = election.sighting;
  const same =
    previous && reply.cell && previous.version === reply.cell.version && previous.incarnation === reply.incarnation;
  const sighting: Sighting | null =
    reply.cell && record
      ? {
          record,
          version: reply.cell.version,
          incarnation: reply.incarnation,
          ageMs: reply.cell.ageMs,
          arrivedAt: now,
          since: same ? previous.since : now,
        }
      : null;
  const seen: Election = {
    ...election,
    failing: false,
    sighting,
    lastReply: { incarnation: reply.incarnation, storeTimeMs: reply.storeTimeMs, arrivedAt: now },
    nextReadAt: now + candidate.timing.retryPeriodMs,
  };
  return noticeLoss(election.held ? checkHolder(seen, election.held, candidate) : seen, reply, record, now);
}

/** Absence, or a record of another incarnation, starts a wait; seeing the same again does not start it anew. */
function noticeLoss(election: Election, reply: ReadReply, record: LeaseRecord | undefined, now: number): Election {
  const lost = record === undefined || record.incarnation !== reply.incarnation;
  if (!lost) return { ...election, lossSeen: undefined };
  const finding = `${reply.cell?.version ?? 'absent'} in ${reply.incarnation}`;
  return finding === election.lossSeen ? election : { ...election, lossSeen: finding, quarantineFrom: now };
}

function checkHolder(election: Election, held: Held, candidate: Candidate): Election {
  const { sighting } = election;
  if (!sighting) return endLease(election, 'the record is gone');
  if (sighting.incarnation !== held.incarnation) return endLease(election, 'the store may have lost writes');
  if (sighting.record.holder !== candidate.identity || sighting.record.term !== held.record.term) {
    return endLease(election, `the lease is ${standing(sighting.record)}`);
  }
  return election.mustResolveConflict
    ? {
        ...election,
        mustResolveConflict: false,
        held: { ...held, version: sighting.version },
        nextRenewAt: sighting.arrivedAt,
      }
    : election;
}

/** A write was answered; `sentAt` was taken before it was sent. */
export function sawWrite(
  election: Election,
  candidate: Candidate,
  write: {
    readonly step: Extract<Step, { do: 'acquire' | 'renew' }>;
    readonly reply: WriteReply;
    readonly sentAt: number;
  },
  now: number,
): Election {
  const { step, reply, sentAt } = write;
  if (!reply.ok)
    return step.do === 'renew' && election.held
      ? { ...election, mustResolveConflict: true }
      : { ...election, nextReadAt: now };
  if (reply.incarnation !== step.record.incarnation) {
    return lostWrites(endLease(election, 'the store may have lost writes'), now);
  }
  const held: Held = {
    record: step.record,
    version: reply.version,
    incarnation: reply.incarnation,
    sentAt,
    validUntil: sentAt + validityMs(candidate.timing),
  };
  const renewalOfAnEndedLease = step.do === 'renew' && !election.held;
  if (renewalOfAnEndedLease || now >= held.validUntil) {
    return { ...endLease(election, 'the reply came after the deadline'), nextReadAt: now };
  }
  return {
    ...election,
    held,
    failing: false,
    lostBecause: undefined,
    lossSeen: undefined,
    nextRenewAt: sentAt + candidate.timing.retryPeriodMs,
  };
}

/** A call failed: whether it was carried out is unknown. */
export function sawFailure(election: Election, candidate: Candidate, now: number): Election {
  return { ...election, failing: true, notBefore: now + candidate.timing.retryPeriodMs / 4 };
}

/** Somebody wrote the cell. */
export function sawHint(election: Election, now: number): Election {
  return election.held ? election : { ...election, nextReadAt: now };
}

/** The own presence record is gone or older than acknowledged: writes were lost, though the lease may look well. */
export function lostWrites(election: Election, now: number): Election {
  return { ...endLease(election, 'the store may have lost writes'), quarantineFrom: now, nextReadAt: now };
}

export function canaryIsWell(election: Election, now: number): Election {
  return { ...election, canaryCheckedAt: now };
}

/** Applies the local deadline: at `validUntil` the lease is over, whatever the store says. */
export function expire(election: Election, now: number): Election {
  if (!election.held || now < election.held.validUntil) return election;
  return { ...endLease(election, 'no renewal was acknowledged before the deadline'), nextReadAt: now };
}

/** The holder gives up: demoted by a higher term, or leaving. */
export function endLease(election: Election, because: string): Election {
  if (!election.held) return election;
  return { ...election, held: undefined, lostBecause: because, mustResolveConflict: false, nextReadAt: 0 };
}

/** The tombstone that a leaving holder writes. */
export function tombstone(held: Held, release: 'adopt' | 'stopped'): LeaseRecord {
  return { ...held.record, holder: null, release };
}
