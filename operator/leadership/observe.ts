/** What a reply, a failure or the passing of time changes in the state of the election. Pure. */
import type { ReadReply, Version, WriteReply } from '../lease/cell-store.ts';
import type { Candidate, Election, Held, Sighting, Step, Try } from './election.ts';
import type { LeaseRecord, Release } from './lease-record.ts';
import { decodeRecord, standingOf } from './lease-record.ts';
import { validityMs } from './timing.ts';

/** From here on pauses grow no more, whatever the durations. */
const MAX_REFUSALS = 16;

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
  const next = election.held ? checkHolder(seen, election.held, candidate) : seen;
  return takeWhatWasTried(noticeLoss(next, reply, record, now), candidate, now);
}

/**
 * The record is that of an acquisition whose reply was lost: this process has been the holder since it was sent. Not when
 * writes may have been lost since, for then the cell may have been somebody else's in between.
 */
function takeWhatWasTried(election: Election, candidate: Candidate, now: number): Election {
  const { held, sighting, tried, lossNoticedAt = -Infinity } = election;
  if (held || !sighting || !tried || lossNoticedAt >= tried.sentAt) return election;
  const { record, version, incarnation } = sighting;
  const isOurs = record.holder === candidate.identity && record.term === tried.term;
  const isSameStore = record.incarnation === tried.incarnation && incarnation === tried.incarnation;
  const validUntil = tried.sentAt + validityMs(candidate.timing);
  if (!isOurs || !isSameStore || now >= validUntil) return election;
  const { sentAt, over: takenOver } = tried;
  const taken = begin(election, { record, version, incarnation, sentAt, validUntil, takenOver });
  return { ...taken, nextRenewAt: now };
}

function begin(election: Election, held: Held): Election {
  return {
    ...election,
    held,
    failing: false,
    lostBecause: undefined,
    finding: undefined,
    tried: undefined,
    highestTerm: Math.max(election.highestTerm, held.record.term),
  };
}

/** Nobody knows whether an acquisition was carried out. */
export function sawNoReply(
  election: Election,
  { record, expected: over }: { readonly record: LeaseRecord; readonly expected?: Version | undefined },
  at: Pick<Try, 'sentAt' | 'sentAtWall'>,
): Election {
  const { term, incarnation } = record;
  const { tried } = election;
  // One that was sent before may be the one that was carried out.
  if (tried?.term === term && tried.incarnation === incarnation)
    return tried.over === over ? election : { ...election, tried: { ...tried, over: undefined } };
  return { ...election, tried: { term, incarnation, over, ...at } };
}

/**
 * Absence, or a record of another incarnation, starts a wait; seeing the same again does not start it anew. A record with a
 * later term than any before ends it: whoever began that term has waited. An earlier one that comes back does not.
 */
function noticeLoss(election: Election, reply: ReadReply, record: LeaseRecord | undefined, now: number): Election {
  if (record !== undefined && record.incarnation === reply.incarnation) {
    const isLater = record.term > election.highestTerm;
    return isLater ? { ...election, finding: undefined, highestTerm: record.term } : election;
  }
  const what = `${reply.cell?.version ?? 'absent'} in ${reply.incarnation}`;
  return what === election.finding?.what ? election : { ...election, finding: { what, since: now } };
}

function checkHolder(election: Election, held: Held, candidate: Candidate): Election {
  const { sighting } = election;
  if (!sighting) return endLease(election, 'the record is gone');
  if (sighting.incarnation !== held.incarnation) return endLease(election, 'the store may have lost writes');
  if (sighting.record.holder !== candidate.identity || sighting.record.term !== held.record.term) {
    return endLease(election, `the lease is ${standingOf(sighting.record)}`);
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
  if (!reply.ok) return step.do === 'renew' && election.held ? sawConflict(election) : { ...election, nextReadAt: now };
  if (reply.incarnation !== step.record.incarnation) {
    return lostWrites(endLease(election, 'the store may have lost writes'), now);
  }
  const held: Held = {
    record: step.record,
    version: reply.version,
    incarnation: reply.incarnation,
    sentAt,
    validUntil: sentAt + validityMs(candidate.timing),
    takenOver: step.do === 'acquire' ? step.expected : election.held?.takenOver,
  };
  const renewalOfAnEndedLease = step.do === 'renew' && !election.held;
  if (renewalOfAnEndedLease || now >= held.validUntil) {
    return { ...endLease(election, 'the reply came after the deadline'), nextReadAt: now };
  }
  return { ...begin(election, held), nextRenewAt: sentAt + candidate.timing.retryPeriodMs };
}

/** The holder's write met another version: that of a write of its own whose reply was lost, or somebody else's. */
export function sawConflict(election: Election): Election {
  return { ...election, mustResolveConflict: true };
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
  return { ...endLease(election, 'the store may have lost writes'), lossNoticedAt: now, nextReadAt: now };
}

/** The cluster said whether it remembers the tenant. "No" counts only after the absence was seen. */
export function sawPermit(election: Election, now: number): Election {
  return { ...election, permitReadAt: now };
}

/** The own cluster took a write that was sent at this time. */
export function sawProof(election: Election, sentAt: number): Election {
  return { ...election, provedAt: Math.max(election.provedAt ?? -Infinity, sentAt), unfit: undefined };
}

/** The own cluster refused a write, or did not answer it. The pauses grow, to a ttl. */
export function sawRefusal(election: Election, { timing }: Candidate, because: string, now: number): Election {
  const pauseMs = Math.min(timing.ttlMs, timing.retryPeriodMs * 2 ** election.refusals);
  return {
    ...election,
    provedAt: undefined,
    unfit: { because, until: now + pauseMs },
    refusals: Math.min(election.refusals + 1, MAX_REFUSALS),
  };
}

/** This controller can act: what was refused before is over. */
export function sawAbility(election: Election): Election {
  return election.refusals === 0 ? election : { ...election, refusals: 0 };
}

/** The own presence record is as it was acknowledged. */
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
export function tombstone({ record }: Held, release: Release, successor?: string): LeaseRecord {
  return { ...record, holder: null, release, ...(successor !== undefined && { successor }) };
}

/** The record as last read; `null`: absent; `undefined`: the store has not been read, or does not answer. */
export function recordSeen({ held, sighting, failing }: Election): LeaseRecord | null | undefined {
  if (held) return held.record;
  return failing ? undefined : sighting && sighting.record;
}

/** When the last other holder showed itself. A released record no longer names it, but a release is a last sign. */
export function signOfOther({ sighting }: Election, { identity }: Candidate): number | undefined {
  if (!sighting || sighting.record.holder === identity) return undefined;
  return sighting.arrivedAt - sighting.ageMs;
}
