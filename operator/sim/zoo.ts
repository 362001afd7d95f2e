/**
 * The bug zoo: defects planted in the production code, one at a time. The simulator must find every one; a rule that can
 * be broken without being noticed is a rule that nobody keeps.
 */
import type { Property } from './checker.ts';
import type { Profile } from './profiles.ts';

interface Edit {
  /** End of the file's path below `operator/`. */
  readonly file: string;
  /** Text that stands there exactly once. */
  readonly find: string;
  readonly put: string;
}

export interface Mutant {
  readonly name: string;
  /** The rule that it breaks, or the known defect that it is. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Where it is most likely to show; by each seed unless told. */
  readonly profile?: Profile;
  /** What may catch it; anything unless told. */
  readonly property?: Property;
}

const election = 'leadership/election.ts';
const elector = 'leadership/elector.ts';
const guard = 'leadership/guard.ts';
const presence = 'leadership/presence.ts';
const timing = 'leadership/timing.ts';
const term = 'leadership/term.ts';
const apply = 'reconcile/apply.ts';
const plan = 'reconcile/plan.ts';

const expiry: readonly Mutant[] = [
  {
    name: 'client-wall-clock',
    breaks: "Only the store's clock and the reader's own monotonic clock decide expiry",
    profile: 'clock',
    edits: [
      { file: elector, find: 'encodeRecord(step.record)', put: 'encodeRecord({ ...step.record, at: clock.wall() })' },
      {
        file: elector,
        find: '    this.#input((e, now) => sawCell(e, this.#options.candidate, reply, now));',
        put: `    const cell = reply.cell && { ...reply.cell, ageMs: this.#options.clock.wall() - (JSON.parse(reply.cell.value).at ?? 0) };
    this.#input((e, now) => sawCell(e, this.#options.candidate, { ...reply, cell }, now));`,
      },
      { file: election, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'byStore' },
    ],
  },
  {
    name: 'one-witness',
    breaks: 'Two witnesses: the store says expired and the reader has seen no change for ttl',
    profile: 'clock',
    edits: [{ file: election, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'byStore' }],
  },
  {
    name: 'store-clock-alone-blocks',
    breaks: 'A store clock that was set back must not block for ever',
    profile: 'clock',
    edits: [{ file: election, find: 'Math.min(Math.max(byStore, byUs), byUsAlone)', put: 'Math.max(byStore, byUs)' }],
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
    edits: [{ file: election, find: 'validUntil: sentAt + validityMs', put: 'validUntil: now + validityMs' }],
  },
  {
    name: 'count-of-failures',
    breaks: 'A number of failed renewals is never a deadline (original 4.4, item 2)',
    profile: 'network',
    edits: [
      { file: election, find: 'validUntil: sentAt + validityMs(candidate.timing)', put: 'validUntil: now + 1e9' },
      {
        file: election,
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
      { file: election, find: 'if (!election.held || now < election.held.validUntil) return election;', put: 'return election;' },
      { file: election, find: 'if (renewalOfAnEndedLease || now >= held.validUntil)', put: 'if (renewalOfAnEndedLease)' },
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
    edits: [{ file: election, find: "if (facts.marker !== 'none') {", put: 'if (false) {' }],
  },
  {
    name: 'no-marker',
    breaks: 'The cluster remembers the tenant before a new leader acts',
    profile: 'store-loss',
    edits: [{ file: elector, find: 'await marker.ensure(this.#election.held.record, this.#call());', put: '' }],
  },
  {
    name: 'old-absence-of-the-marker',
    breaks: 'That the cluster has never seen the tenant is read anew after each look at the lease',
    profile: 'store-loss',
    edits: [
      { file: elector, find: "if (this.#options.marker.known === 'none') this.#options.marker.forget();", put: '' },
      { file: elector, find: 'if (this.#election.quarantineFrom !== before.quarantineFrom) this.#options.marker.forget();', put: '' },
    ],
  },
  {
    name: 'incarnation-ignored',
    breaks: "A record whose incarnation is not the store's is not trusted",
    profile: 'store-loss',
    edits: [
      { file: election, find: 'record === undefined || record.incarnation !== reply.incarnation', put: 'record === undefined' },
    ],
  },
  {
    name: 'incarnation-of-the-reply-ignored',
    breaks: 'A write answered by another incarnation than the read that it started from does not count',
    profile: 'store-loss',
    edits: [{ file: election, find: 'if (reply.incarnation !== step.record.incarnation) {', put: 'if (false) {' }],
  },
  {
    name: 'canary-ignored',
    breaks: 'The own presence record shows losses that the lease does not',
    profile: 'store-loss',
    edits: [
      { file: elector, find: 'return this.#input(well ? canaryIsWell : lostWrites);', put: 'return this.#input(canaryIsWell);' },
      { file: presence, find: '    onLoss();', put: '' },
    ],
  },
  {
    name: 'canary-only-on-absence',
    breaks: 'The canary is looked at before every acquisition',
    profile: 'unnoticed',
    edits: [
      {
        file: election,
        find: "  if (!canaryChecked(election, now)) return { do: 'check canary' };\n  return { do: 'acquire', record: nextTerm(record,",
        put: "  return { do: 'acquire', record: nextTerm(record,",
      },
    ],
  },
  {
    name: 'wait-starts-anew',
    breaks: 'Seeing the same loss again does not start its wait again',
    profile: 'store-loss',
    edits: [{ file: election, find: 'return finding === election.lossSeen ? election :', put: 'return false ? election :' }],
  },
  {
    name: 'presence-forgotten-by-the-store-clock',
    breaks: 'Two witnesses before the record of another controller is removed',
    profile: 'clock',
    edits: [{ file: presence, find: ' && now - sighting.since > FORGOTTEN_MS', put: '' }],
  },
];

const terms: readonly Mutant[] = [
  {
    name: 'term-not-raised',
    breaks: 'The term grows each time the lease changes hands',
    edits: [
      { file: election, find: 'election.highestTerm, remembered) + 1', put: 'election.highestTerm, remembered)' },
    ],
  },
  {
    name: 'term-of-the-record-alone',
    breaks: 'On acquiring, the term is lifted above every stamp and every term seen',
    profile: 'store-loss',
    edits: [
      {
        file: election,
        find: 'Math.max(floor, facts.highestStamp, election.highestTerm, remembered) + 1',
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
        file: election,
        find: 'Math.max(floor, facts.highestStamp, election.highestTerm, remembered) + 1',
        put: '(previous ? floor : 0) + 1',
      },
    ],
  },
  {
    name: 'terms-forgotten-by-the-process',
    breaks: 'Terms seen or held are remembered by the process and by the marker',
    profile: 'store-loss',
    edits: [{ file: election, find: 'facts.highestStamp, election.highestTerm, remembered)', put: 'facts.highestStamp)' }],
  },
];

const handOver: readonly Mutant[] = [
  {
    name: 'lost-reply-demotes',
    breaks: 'A conflict with the own record is a lost reply, and the holder goes on (schedule 12)',
    profile: 'network',
    edits: [{ file: election, find: '? { ...election, mustResolveConflict: true }', put: "? endLease(election, 'conflict')" }],
  },
  {
    name: 'release-before-grants-end',
    breaks: 'Grants end before the lease is released (original 4.4, item 1)',
    edits: [{ file: elector, find: "this.#term?.end('this controller is leaving');", put: '' }],
  },
  {
    name: 'unconditional-release',
    breaks: 'A release removes nothing but the own record (original 4.4, item 4)',
    profile: 'network',
    edits: [
      { file: elector, find: '    this.#input(expire);\n    const { held }', put: '    const held = { record: this.record, version: "" };\n    const ignored' },
      {
        file: elector,
        find: 'const reply = await this.#options.store.write(this.#key, encodeRecord(record), held.version, this.#call());',
        put: `const { cell } = await this.#options.store.read(this.#key, this.#call());
      const reply = { ok: await this.#options.store.remove(this.#key, cell.version, this.#call()) };`,
      },
    ],
  },
  {
    name: 'release-by-former-leader',
    breaks: 'Only the holder releases, with the version that it wrote',
    edits: [
      { file: elector, find: '    this.#input(expire);\n    const { held }', put: '    const held = this.record && { record: this.record };\n    const ignored' },
      {
        file: elector,
        find: 'const reply = await this.#options.store.write(this.#key, encodeRecord(record), held.version, this.#call());',
        put: `const { cell } = await this.#options.store.read(this.#key, this.#call());
      const reply = await this.#options.store.write(this.#key, encodeRecord(record), cell.version, this.#call());`,
      },
    ],
  },
  {
    name: 'same-identity',
    breaks: 'An identity is unique per start of a process (original 4.4, item 6)',
    edits: [{ file: 'sim/simulation.ts', find: 'const identity = `${machine.name}-${this.#starts}`;', put: "const identity = 'same';" }],
  },
];

const writes: readonly Mutant[] = [
  {
    name: 'stale-grant',
    breaks: 'The guard reads the lease before every reconcile',
    edits: [{ file: guard, find: '      await this.#read();', put: '' }],
  },
  {
    name: 'shared-old-read',
    breaks: 'Callers share only a read that started after they asked',
    profile: 'network',
    edits: [{ file: guard, find: '    this.#next ??= this.#running', put: '    return this.#running;\n    this.#next ??= this.#running' }],
  },
  {
    name: 'unchecked-dispatch',
    breaks: 'The deadline is checked in the same step as the dispatch',
    profile: 'crash',
    edits: [{ file: apply, find: 'beforeSend: () => grant.assertHeld()', put: 'beforeSend: () => {}' }],
  },
  {
    name: 'expiry-by-timer-alone',
    breaks: 'The deadline is compared at each write, not left to a timer',
    profile: 'crash',
    edits: [{ file: term, find: 'if (this.overdue) throw', put: 'if (false) throw' }],
  },
  {
    name: 'no-stamp-check',
    breaks: 'An object of a higher term is never written: resourceVersion alone is no fence',
    profile: 'everything',
    edits: [{ file: plan, find: 'if (seen > term)', put: 'if (false)' }],
  },
  {
    name: 'no-preconditions',
    breaks: 'Updates and deletes carry uid and resourceVersion',
    edits: [
      { file: apply, find: 'return resourceVersion === undefined ? { uid } : { uid, resourceVersion };', put: 'return {};' },
    ],
  },
  {
    name: 'forced-delete',
    breaks: 'A pod is never deleted by force: no API object is not no process',
    edits: [
      { file: apply, find: '{ ...options, preconditions: identity(action.live) });', put: '{ ...options, preconditions: identity(action.live), gracePeriodSeconds: 0 });' },
    ],
  },
  {
    name: 'template-follows-the-term',
    breaks: 'A change of leader restarts nothing',
    edits: [{ file: plan, find: 'if (!sameGeneration && !sameTemplate)', put: 'if (numberAnnotation(live, annotations.term) !== stamp.term)' }],
  },
];

export const zoo: readonly Mutant[] = [...expiry, ...loss, ...terms, ...handOver, ...writes];
