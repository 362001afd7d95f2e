/** What to do next, by the state of the election. Pure. */
import type { Candidate, Election, Facts, Held, Sighting, Step } from './election.ts';
import type { LeaseRecord } from './lease-record.ts';
import { standingOf } from './lease-record.ts';
import { atLeast } from './timing.ts';

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
  // Ahead of need: a process that knows nothing yet must not take an old record for the latest.
  if (facts.marker === 'unknown') return { do: 'read marker' };
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
  if (freeAt > sighting.arrivedAt) return now >= freeAt ? { do: 'read' } : wait(election, standingOf(record), freeAt);
  // The record may be an old one that came back. If the canary came back too, only the cluster knows what began since.
  if (!isSince(election.canaryCheckedAt, sighting.arrivedAt)) return { do: 'check canary' };
  if (quarantined !== undefined && !isSince(election.markerReadAt, sighting.arrivedAt)) return { do: 'read marker' };
  return { do: 'acquire', record: nextTerm(record, election, candidate, facts), expected: sighting.version };
}

function decideOnAbsence(election: Election, candidate: Candidate, facts: Facts, now: number): Step {
  const readAt = election.lastReply?.arrivedAt ?? now;
  if (!isSince(election.markerReadAt, readAt)) return { do: 'read marker' };
  if (facts.marker !== 'none' || election.highestTerm > 0) {
    const until = quarantineUntil(election, facts, 0, candidate.timing.ttlMs);
    if (until === undefined || now < until)
      return wait(election, 'the record is gone but this cluster has seen it', until);
  }
  if (!isSince(election.canaryCheckedAt, readAt)) return { do: 'check canary' };
  return { do: 'acquire', record: nextTerm(undefined, election, candidate, facts), expected: undefined };
}

function isSince(time: number | undefined, start: number): boolean {
  return time !== undefined && time >= start;
}

function wait(election: Election, because: string, until = Infinity): Step {
  return { do: 'wait', until: Math.min(until, election.nextReadAt), because };
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

/**
 * The wait after a loss. It counts only while the canary sits in the store: a term that began and was lost between two
 * looks must not go unseen.
 */
function quarantineUntil(election: Election, facts: Facts, seenDrainMs: number, ttlMs: number): number | undefined {
  const { finding, lossNoticedAt } = election;
  if (finding === undefined && lossNoticedAt === undefined) return undefined;
  if (facts.canarySince === undefined) return Infinity;
  const marked = typeof facts.marker === 'object' ? facts.marker.drainMs : 0;
  const from = Math.max(finding?.since ?? -Infinity, lossNoticedAt ?? -Infinity, facts.canarySince);
  return from + atLeast(ttlMs + Math.max(facts.drainMs, seenDrainMs, marked));
}

function nextTerm(
  previous: LeaseRecord | undefined,
  election: Election,
  candidate: Candidate,
  facts: Facts,
): LeaseRecord {
  const marked = typeof facts.marker === 'object' ? facts.marker.term : 0;
  const floor = previous ? previous.term : Math.floor((election.lastReply?.storeTimeMs ?? 0) / 1000);
  return {
    holder: candidate.identity,
    cluster: candidate.cluster,
    term: Math.max(floor, facts.highestStamp, marked, election.highestTerm) + 1,
    scope: previous?.scope ?? 'single',
    ttlMs: candidate.timing.ttlMs,
    drainMs: facts.drainMs,
    incarnation: election.lastReply?.incarnation ?? '',
    release: 'none',
    pending: previous?.pending ?? [],
  };
}
