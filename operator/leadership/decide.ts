/** What to do next, by the state of the election. Pure. */
import type { Scope } from '../api/scope.ts';
import { isPlausible } from '../api/terms.ts';
import type { Candidate, Election, Facts, Held, Sighting, Step } from './election.ts';
import type { LeaseRecord, PendingCluster } from './lease-record.ts';
import { isGivenAway, standingOf } from './lease-record.ts';
import { ADOPT_GRACE_MS, type Permit } from './permit.ts';
import { atLeast } from './timing.ts';

/** What to do next. The caller applies `expire` first. */
export function decide(election: Election, candidate: Candidate, facts: Facts, now: number): Step {
  const { held, notBefore } = election;
  if (now < notBefore) return { do: 'wait', until: notBefore, because: 'the last call failed' };
  if (held) return decideAsHolder({ ...election, held }, candidate, facts, now);
  if (now >= election.nextReadAt) return { do: 'read' };
  if (!facts.eligible) return wait(election, 'not a candidate');
  if (election.unfit) return decideUnfit(election.unfit, election, now);
  return election.sighting
    ? decideOnRecord({ ...election, sighting: election.sighting }, candidate, facts, now)
    : decideOnAbsence(election, candidate, facts, now);
}

function decideAsHolder(
  election: Election & { readonly held: Held },
  candidate: Candidate,
  facts: Facts,
  now: number,
): Step {
  const { held } = election;
  if (election.mustResolveConflict) return { do: 'read' };
  if (isCutOff(held.record, candidate, facts))
    return { do: 'wait', until: held.validUntil, because: 'the API server of this cluster does not answer' };
  // Pods that take longer to stop are started only when everybody knows.
  if (now >= election.nextRenewAt || facts.drainMs > held.record.drainMs) {
    return {
      do: 'renew',
      record: {
        ...held.record,
        scope: facts.isLimited ? 'multi' : held.record.scope,
        drainMs: Math.max(held.record.drainMs, facts.drainMs),
        pending: facts.pending ?? held.record.pending,
      },
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
  if (facts.permit === 'unknown') return { do: 'read permit' };
  const closed = whyClosed(sighting, candidate, facts);
  if (closed !== undefined) return wait(election, closed);
  const quarantined = quarantineUntil(election, facts, record.drainMs, Math.max(record.ttlMs, candidate.timing.ttlMs));
  if (quarantined !== undefined && now < quarantined)
    return wait(election, 'the store may have lost writes', quarantined);
  const freeAt = whenFree(sighting, candidate, facts);
  if (freeAt > sighting.arrivedAt) return now >= freeAt ? { do: 'read' } : wait(election, standingOf(record), freeAt);
  if (!isProved(election, candidate, now)) return { do: 'prove' };
  // The record may be an old one that came back. If the canary came back too, only the cluster knows what began since.
  if (!isSince(election.canaryCheckedAt, sighting.arrivedAt)) return { do: 'check canary' };
  // Whoever takes over from another cluster can act in its own.
  const mustAsk = quarantined !== undefined || isForeign(record, candidate);
  if (mustAsk && !isSince(election.permitReadAt, sighting.arrivedAt)) return { do: 'read permit' };
  return { do: 'acquire', record: nextTerm(sighting, election, candidate, facts), expected: sighting.version };
}

function decideOnAbsence(election: Election, candidate: Candidate, facts: Facts, now: number): Step {
  const readAt = election.lastReply?.arrivedAt ?? now;
  if (!isSince(election.permitReadAt, readAt)) return { do: 'read permit' };
  if (isUnlimitedElsewhere(candidate, facts))
    return wait(election, 'the record is gone, and was last held in another cluster, which no permit limits');
  if (facts.permit !== 'none' || election.highestTerm > 0) {
    const until = quarantineUntil(election, facts, 0, candidate.timing.ttlMs);
    if (until === undefined || now < until)
      return wait(election, 'the record is gone but this cluster has seen it', until);
  }
  if (!isProved(election, candidate, now)) return { do: 'prove' };
  if (!isSince(election.canaryCheckedAt, readAt)) return { do: 'check canary' };
  return { do: 'acquire', record: nextTerm(undefined, election, candidate, facts), expected: undefined };
}

/** Others see that it does not stand, so it tries again also while somebody else leads. */
function decideUnfit({ because, until }: NonNullable<Election['unfit']>, election: Election, now: number): Step {
  return now >= until ? { do: 'prove' } : wait(election, `its cluster does not accept writes: ${because}`, until);
}

function isProved({ provedAt }: Election, { timing }: Candidate, now: number): boolean {
  return provedAt !== undefined && now - provedAt < timing.ttlMs;
}

function isSince(time: number | undefined, start: number): boolean {
  return time !== undefined && time >= start;
}

function wait(election: Election, because: string, until = Infinity): Step {
  return { do: 'wait', until: Math.min(until, election.nextReadAt), because };
}

/** When a record that was read becomes free, if nobody writes it: two witnesses, the store's clock and ours. */
function whenFree(sighting: Sighting, candidate: Candidate, facts: Facts): number {
  const { record, since, arrivedAt, ageMs } = sighting;
  const foreign = isForeign(record, candidate);
  const turn = since + turnMs(candidate, facts);
  if (record.holder === null && (!foreign || isGivenAway(record))) {
    if (record.successor === candidate.identity) return since;
    if (record.successor !== undefined) return turn + atLeast(2 * candidate.timing.retryPeriodMs);
    return isGivenAway(record) ? turn : since;
  }
  const byStore = arrivedAt + atLeast(record.ttlMs - ageMs) + 1;
  const byUs = since + atLeast(record.ttlMs);
  const byUsAlone = since + atLeast(2 * record.ttlMs);
  // Whoever can adopt what runs there restarts nothing.
  const grace = foreign && facts.clusters.some(({ id, isAlive }) => isAlive && id === record.cluster.id);
  const free = Math.min(Math.max(byStore, byUs), byUsAlone);
  return foreign ? free + turnMs(candidate, facts) + (grace ? ADOPT_GRACE_MS : 0) : free;
}

/** Clusters of higher priority come first. */
function turnMs({ cluster, priority = 0, timing }: Candidate, { clusters }: Facts): number {
  const before = clusters.filter((each) => each.isAlive && each.id !== cluster.id && each.priority > priority);
  return (new Set(before.map(({ id }) => id)).size * timing.retryPeriodMs) / 4;
}

/** Nothing can be done for the workloads here, and somebody else could. */
function isCutOff({ scope }: LeaseRecord, { cluster, apiDeadlineMs = Infinity }: Candidate, facts: Facts): boolean {
  const isElsewhere = facts.clusters.some(({ id, isAlive }) => isAlive && id !== cluster.id);
  return scope === 'multi' && isElsewhere && facts.silentMs > apiDeadlineMs;
}

/**
 * The wait after a loss. It counts only while the canary sits in the store: a term that began and was lost between two
 * looks must not go unseen.
 */
function quarantineUntil(election: Election, facts: Facts, seenDrainMs: number, ttlMs: number): number | undefined {
  const { finding, lossNoticedAt } = election;
  if (finding === undefined && lossNoticedAt === undefined) return undefined;
  if (facts.canarySince === undefined) return Infinity;
  const marked = permitOf(facts)?.drainMs ?? 0;
  const from = Math.max(finding?.since ?? -Infinity, lossNoticedAt ?? -Infinity, facts.canarySince);
  return from + atLeast(ttlMs + Math.max(facts.drainMs, seenDrainMs, marked));
}

function nextTerm(sighting: Sighting | undefined, election: Election, candidate: Candidate, facts: Facts): LeaseRecord {
  const previous = sighting?.record;
  const time = Math.floor((election.lastReply?.storeTimeMs ?? 0) / 1000);
  const floor = previous ? previous.term : time;
  const stamped = highestStamp(facts, Math.max(floor, time, election.highestTerm));
  return {
    holder: candidate.identity,
    cluster: candidate.cluster,
    term: Math.max(floor, stamped, election.highestTerm) + 1,
    scope: scopeOf(previous, candidate, facts),
    ttlMs: candidate.timing.ttlMs,
    drainMs: Math.max(facts.drainMs, unfinishedDrainMs(previous, candidate)),
    incarnation: election.lastReply?.incarnation ?? '',
    release: 'none',
    pending: waitedFor(sighting, election, candidate, facts),
  };
}

/** Stamps and permits can be edited by others: what lies out of reach of any term lifts nothing. */
function highestStamp(facts: Facts, known: number): number {
  const seen = [...facts.stamps, permitOf(facts)?.term ?? 0];
  return seen.filter((stamp) => isPlausible(stamp, known)).reduce((highest, stamp) => Math.max(highest, stamp), 0);
}

/** A holder that did not leave may have a pod on its way of which no cache has heard. */
function unfinishedDrainMs(record: LeaseRecord | undefined, candidate: Candidate): number {
  return record && record.release === 'none' && !isForeign(record, candidate) ? record.drainMs : 0;
}

/** As long as the tenant had one cluster, its workloads run on without a leader: no wait makes it safe to start others. */
function isUnlimitedElsewhere(candidate: Candidate, facts: Facts): boolean {
  const permit = permitOf(facts);
  return permit !== undefined && permit.scope === 'single' && !['', candidate.cluster.id].includes(permit.clusterId);
}

/** Once several clusters, always several. */
function scopeOf(record: LeaseRecord | undefined, candidate: Candidate, facts: Facts): Scope {
  if (record && (record.scope === 'multi' || isForeign(record, candidate))) return 'multi';
  return permitOf(facts)?.scope ?? 'single';
}

/**
 * Where the record was lost, nobody knows who led last, nor who was waited for: every cluster that lives has to look. The
 * time that all others may take has passed.
 */
function waitedFor(
  sighting: Sighting | undefined,
  { finding }: Election,
  candidate: Candidate,
  facts: Facts,
): readonly PendingCluster[] {
  const known = sighting ? inherited(sighting, candidate, facts) : [];
  const permit = permitOf(facts);
  if ((sighting && finding === undefined) || permit?.scope !== 'multi') return known;
  const names = new Map(facts.clusters.filter(({ isHeard }) => isHeard).map(({ id, name }) => [id, name]));
  for (const { cluster } of [candidate, ...known]) names.delete(cluster.id);
  const drainMs = Math.max(facts.drainMs, permit.drainMs);
  return [...known, ...[...names].map(([id, name]) => ({ cluster: { id, name }, drainMs }))];
}

/** Those that an earlier holder had not waited for to the end, and its own unless it left nothing running. */
function inherited(sighting: Sighting, candidate: Candidate, facts: Facts): readonly PendingCluster[] {
  const { record } = sighting;
  const { cluster, drainMs, release, pending } = record;
  const hasStopped = release === 'stopped' || isConfirmed(sighting, facts);
  const last = isForeign(record, candidate) && !hasStopped ? [{ cluster, drainMs }] : [];
  const others = pending.filter((entry) => ![cluster.id, candidate.cluster.id].includes(entry.cluster.id));
  return [...last, ...others];
}

/** Why a record of another cluster is not to be taken over at all, however long one waits. */
function whyClosed(sighting: Sighting, candidate: Candidate, facts: Facts): string | undefined {
  const { record } = sighting;
  if (!isForeign(record, candidate)) return undefined;
  if (facts.isPaused) return 'the tenant is paused';
  const { name, id } = record.cluster;
  return isOpen(sighting, candidate, facts)
    ? undefined
    : `last held in another cluster, ${name} (${id}), and not released as stopped: if nothing runs there, run highlander confirm-stopped --cluster ${id}`;
}

/** Whether a record of another cluster can be taken over at all without a person. */
function isOpen(sighting: Sighting, { takeover }: Candidate, facts: Facts): boolean {
  const { record } = sighting;
  const { scope } = record;
  return isGivenAway(record) || (scope === 'multi' && takeover !== undefined) || isConfirmed(sighting, facts);
}

/** Whoever has written the lease since was not known to whoever spoke. */
function isConfirmed({ record: { cluster }, version }: Sighting, { confirmed }: Facts): boolean {
  return confirmed.some((each) => each.id === cluster.id && each.leaseVersion === version);
}

function isForeign(record: LeaseRecord, candidate: Candidate): boolean {
  return record.cluster.id !== candidate.cluster.id;
}

function permitOf({ permit }: Facts): Permit | undefined {
  return typeof permit === 'object' ? permit : undefined;
}
