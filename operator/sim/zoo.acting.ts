/** Defects in how the lease is handed over, and in what is written under it. */
import type { Mutant } from './mutant.ts';

const observe = 'leadership/observe.ts';
const elector = 'leadership/elector.ts';
const steps = 'leadership/steps.ts';
const guard = 'leadership/guard.ts';
const term = 'leadership/term.ts';
const apply = 'reconcile/apply.ts';
const plan = 'reconcile/plan.ts';

const RELEASING = 'for (input(expire); election().held; input(expire)) {';

const handOver: readonly Mutant[] = [
  {
    name: 'lost-reply-demotes',
    breaks: 'A conflict with the own record is a lost reply, and the holder goes on (schedule 12)',
    profile: 'network',
    edits: [
      {
        file: observe,
        find: 'election.held ? sawConflict(election)',
        put: "election.held ? endLease(election, 'conflict')",
      },
    ],
  },
  {
    name: 'acts-while-leaving',
    breaks: 'A lease that is acknowledged to a controller that leaves begins no term',
    profile: 'network',
    edits: [{ file: elector, find: 'if (this.#departure) return this', put: 'if (this.#departure?.exit) return this' }],
  },
  {
    name: 'release-before-grants-end',
    breaks: 'Grants end before the lease is released (original 4.4, item 1)',
    edits: [{ file: elector, find: 'this.#endTerm(because);', put: '' }],
  },
  {
    name: 'unconditional-release',
    breaks: 'A release removes nothing but the own record (original 4.4, item 4)',
    profile: 'network',
    edits: [
      {
        file: steps,
        find: RELEASING,
        put: `const { cell } = await store.read(this.#key, this.#call());
    await store.remove(this.#key, cell.version, this.#call());
    for (;;) { return;`,
      },
    ],
  },
  {
    name: 'release-by-former-leader',
    breaks: 'Only the holder releases, with the version that it wrote',
    edits: [
      {
        file: steps,
        find: RELEASING,
        put: `const { cell } = await store.read(this.#key, this.#call());
    await store.write(this.#key, encodeRecord(tombstone({ record: election().sighting.record }, release)), cell.version, this.#call());
    for (;;) { return;`,
      },
    ],
  },
  {
    name: 'same-identity',
    breaks: 'An identity is unique per start of a process (original 4.4, item 6)',
    edits: [
      {
        file: 'sim/play.ts',
        find: 'const identity = `${machine.name}-${this.#starts}`;',
        put: "const identity = 'same';",
      },
    ],
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
    edits: [
      {
        file: guard,
        find: '    this.#next ??= this.#running',
        put: '    return this.#running;\n    this.#next ??= this.#running',
      },
    ],
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
    edits: [{ file: plan, find: 'if (seen > term && ', put: 'if (false && ' }],
  },
  {
    name: 'no-preconditions',
    breaks: 'Updates and deletes carry uid and resourceVersion',
    edits: [
      {
        file: apply,
        find: 'return resourceVersion === undefined ? { uid } : { uid, resourceVersion };',
        put: 'return {};',
      },
    ],
  },
  {
    name: 'forced-delete',
    breaks: 'A pod is never deleted by force: no API object is not no process',
    edits: [
      {
        file: apply,
        find: "...(action.awaited ? { propagationPolicy: 'Foreground' } : {}),",
        put: 'gracePeriodSeconds: 0,',
      },
    ],
  },
  {
    name: 'template-follows-the-term',
    breaks: 'A change of leader restarts nothing',
    edits: [
      {
        file: plan,
        find: 'if (!sameGeneration && !sameTemplate)',
        put: 'if (numberAnnotation(live, annotations.term) !== stamp.term)',
      },
    ],
  },
];

/** The defects. */
export const actingMutants: readonly Mutant[] = [...handOver, ...writes];
