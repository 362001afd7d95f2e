/** Defects in how the lease is taken, held and missed. */
import type { Mutant } from './mutant.ts';

const decide = 'leadership/decide.ts';
const observe = 'leadership/observe.ts';
const steps = 'leadership/steps.ts';
const presence = 'leadership/presence.ts';
const tenure = 'leadership/tenure.ts';
const timing = 'leadership/timing.ts';
const term = 'leadership/term.ts';

const expiry: readonly Mutant[] = [
  {
    name: 'client-wall-clock',
    breaks: "Only the store's clock and the reader's own monotonic clock decide expiry",
    profile: 'clock',
    edits: [
      { file: steps, find: 'encodeRecord(step.record)', put: 'encodeRecord({ ...step.record, at: clock.wall() })' },
      {
        file: steps,
        find: '    input((e, now) => sawCell(e, candidate, reply, now), election().tried?.sentAtWall);',
        put: `    const cell = reply.cell && { ...reply.cell, ageMs: this.#options.clock.wall() - (JSON.parse(reply.cell.value).at ?? 0) };
    input((e, now) => sawCell(e, candidate, { ...reply, cell }, now));`,
      },
      { file: decide, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'byStore' },
    ],
  },
  {
    name: 'one-witness',
    breaks: 'Two witnesses: the store says expired and the reader has seen no change for ttl',
    profile: 'clock',
    edits: [{ file: decide, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'byStore' }],
  },
  {
    name: 'store-clock-alone-blocks',
    breaks: 'A store clock that was set back must not block for ever',
    profile: 'clock',
    edits: [{ file: decide, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'Math.max(byStore, byUs)' }],
  },
  {
    name: 'no-allowance-for-rates',
    breaks: 'Every wait is longer, every validity shorter than stated, for clocks at different rates',
    profile: 'network',
    edits: [
      { file: timing, find: 'return ms * (1 + RATE_ERROR);', put: 'return ms;' },
      { file: timing, find: 'return timing.ttlMs * (1 - RATE_ERROR) - MARGIN_MS;', put: 'return timing.ttlMs;' },
    ],
  },
  {
    name: 'valid-from-the-reply',
    breaks: 'A lease is valid from before the write was sent, not from its reply',
    profile: 'network',
    edits: [{ file: observe, find: 'validUntil: sentAt + validityMs', put: 'validUntil: now + validityMs' }],
  },
  {
    name: 'count-of-failures',
    breaks: 'A number of failed renewals is never a deadline (original 4.4, item 2)',
    profile: 'network',
    edits: [
      { file: observe, find: 'validUntil: sentAt + validityMs(candidate.timing)', put: 'validUntil: now + 1e9' },
      {
        file: observe,
        find: '  return { ...election, failing: true,',
        put: `  const failures = (election.failures ?? 0) + 1;
  if (failures >= 20) return endLease(election, 'no renewal was acknowledged');
  return { ...election, failures, failing: true,`,
      },
    ],
  },
  {
    name: 'renewal-after-the-deadline',
    breaks: 'Never renew after the local deadline',
    profile: 'crash',
    edits: [
      {
        file: observe,
        find: 'if (!election.held || now < election.held.validUntil) return election;',
        put: 'return election;',
      },
      {
        file: observe,
        find: 'if (renewalOfAnEndedLease || now >= held.validUntil)',
        put: 'if (renewalOfAnEndedLease)',
      },
      { file: term, find: 'return this.#clock.monotonic() >= this.#validUntil;', put: 'return false;' },
    ],
  },
  {
    name: 'one-clock',
    breaks: 'Writes pause when wall and monotonic clock moved apart',
    profile: 'clock',
    edits: [{ file: term, find: 'if (apart > MARGIN_MS)', put: 'if (false)' }],
  },
];

const loss: readonly Mutant[] = [
  {
    name: 'absent-is-free',
    breaks: 'Absent is not free while the cluster remembers the tenant',
    profile: 'store-loss',
    edits: [{ file: decide, find: "if (facts.permit !== 'none' || election.highestTerm > 0) {", put: 'if (false) {' }],
  },
  {
    name: 'nothing-remembered',
    breaks: 'The cluster remembers the tenant before a new leader acts',
    profile: 'store-loss',
    edits: [
      { file: tenure, find: 'await this.#ability.track(() => permit.ensure(held.record, this.#call()));', put: '' },
    ],
  },
  {
    name: 'old-absence-of-the-permit',
    breaks: 'That the cluster has never seen the tenant is read anew after each look at the lease',
    profile: 'store-loss',
    edits: [
      {
        file: decide,
        find: "if (!isSince(election.permitReadAt, readAt)) return { do: 'read permit' };",
        put: "if (facts.permit === 'unknown') return { do: 'read permit' };",
      },
      { file: decide, find: ' || election.highestTerm > 0) {', put: ') {' },
    ],
  },
  {
    name: 'incarnation-ignored',
    breaks: "A record whose incarnation is not the store's is not trusted",
    profile: 'store-loss',
    edits: [
      {
        file: observe,
        find: 'if (record !== undefined && record.incarnation === reply.incarnation) {',
        put: 'if (record !== undefined) {',
      },
    ],
  },
  {
    name: 'incarnation-of-the-reply-ignored',
    breaks: 'A write answered by another incarnation than the read that it started from does not count',
    profile: 'store-loss',
    edits: [{ file: observe, find: 'if (reply.incarnation !== step.record.incarnation) {', put: 'if (false) {' }],
  },
  {
    name: 'canary-ignored',
    breaks: 'The own presence record shows losses that the lease does not',
    profile: 'store-loss',
    edits: [
      {
        file: steps,
        find: 'return input(well ? canaryIsWell : lostWrites);',
        put: 'return input(canaryIsWell);',
      },
      { file: presence, find: '    onLoss();', put: '' },
    ],
  },
  {
    name: 'canary-only-on-absence',
    breaks: 'The canary is looked at before every acquisition',
    profile: 'unnoticed',
    edits: [
      {
        file: decide,
        find: "if (!isSince(election.canaryCheckedAt, sighting.arrivedAt)) return { do: 'check canary' };",
        put: '',
      },
    ],
  },
  {
    name: 'canary-not-yet-there',
    breaks: 'A wait after a loss counts only while the canary was there to notice a second one',
    profile: 'store-loss',
    edits: [
      { file: decide, find: 'if (facts.canarySince === undefined) return Infinity;', put: '' },
      { file: decide, find: ', facts.canarySince);', put: ');' },
    ],
  },
  {
    name: 'wait-starts-anew',
    breaks: 'Seeing the same loss again does not start its wait again',
    profile: 'store-loss',
    edits: [
      { file: observe, find: 'return what === election.finding?.what ? election :', put: 'return false ? election :' },
    ],
  },
  {
    name: 'presence-forgotten-by-the-store-clock',
    breaks: 'Two witnesses before the record of another controller is removed',
    profile: 'clock',
    edits: [{ file: presence, find: ' && seenMs > limitMs', put: '' }],
  },
];

const terms: readonly Mutant[] = [
  {
    name: 'term-not-raised',
    breaks: 'The term grows each time the lease changes hands',
    edits: [{ file: decide, find: 'stamped, election.highestTerm) + 1', put: 'stamped, election.highestTerm)' }],
  },
  {
    name: 'term-of-the-record-alone',
    breaks: 'On acquiring, the term is lifted above every stamp and every term seen',
    profile: 'store-loss',
    edits: [
      {
        file: decide,
        find: 'Math.max(floor, stamped, election.highestTerm) + 1',
        put: 'floor + 1',
      },
    ],
  },
  {
    name: 'terms-restart',
    breaks: 'The first term after absence is at least the time of the store',
    profile: 'store-loss',
    edits: [
      {
        file: decide,
        find: 'Math.max(floor, stamped, election.highestTerm) + 1',
        put: '(previous ? floor : 0) + 1',
      },
    ],
  },
  {
    name: 'terms-forgotten-by-the-process',
    breaks: 'Terms seen or held are remembered by the process and by the permit',
    profile: 'store-loss',
    edits: [
      { file: decide, find: 'stamped, election.highestTerm) + 1', put: 'stamped) + 1' },
      { file: decide, find: '[...facts.stamps, permitOf(facts)?.term ?? 0]', put: 'facts.stamps' },
    ],
  },
];

/** The defects. */
export const leaseMutants: readonly Mutant[] = [...expiry, ...loss, ...terms];
