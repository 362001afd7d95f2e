/**
 * `node hack/model.ts [name …]`: checks the model of the lease in docs/protocol/model, and that it needs every rule: each
 * variant breaks one and must be found out. Ends with 1 when a variant ends otherwise than expected.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { install } from './cluster/packages.ts';
import { run } from './cluster/shell.ts';

const MODEL = resolve(import.meta.dirname, '../docs/protocol/model/lease.pml');

type Settings = Readonly<Record<string, number>>;

interface Variant {
  readonly name: string;
  readonly settings: Settings;
  readonly expected: 'holds' | 'violated';
}

interface Outcome {
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
  /** The property that was violated; `undefined` when all hold. */
  readonly violation: string | undefined;
}

export interface Finding extends Variant, Outcome {
  readonly asExpected: boolean;
}

/** Sizes: controllers, ticks of a lease, highest term, crashes and departures, losses of the store. */
const SIZES: Settings = { N: 2, TTL: 2, MAXT: 4, FAULTS: 2, LOSS: 1 };
/** Parts of the model. */
const PARTS = ['POD', 'LIVE', 'RESTORE', 'FROZEN'];
/** Each breaks a rule. */
const MUTANTS: Readonly<Record<string, Settings>> = {
  ABSENT_IS_FREE: {},
  CONFLICT_EXTENDS: { TTL: 3, FAULTS: 0 },
  FREE_BEFORE_GONE: { POD: 1 },
  MARKER_CACHED: {},
  NO_CAS: { POD: 1 },
  NO_DEADLINE: {},
  NO_EXPIRY: { LIVE: 1 },
  NO_FINALIZER: { POD: 1 },
  NO_INCARNATION: { RESTORE: 1 },
  NO_LIFT: { RESTORE: 1 },
  NO_NAME_LOCK: { POD: 1 },
  NO_QUARANTINE: { RESTORE: 1 },
  NO_STAMP_CHECK: { POD: 1, FROZEN: 1 },
  RELEASE_BEFORE_GRANTS_END: {},
  VALID_FROM_REPLY: {},
  WAIT_TOO_SHORT: {},
};
/** Wishes and faults beyond what the rules promise: known gaps. */
const GAPS: Readonly<Record<string, Settings>> = {
  LATE_CREATE: { POD: 1 },
  LOSS_AT_BIRTH: {},
};
/** Changes of a rule that break nothing. */
const HARMLESS: Readonly<Record<string, Settings>> = {
  RENEW_AFTER_DEADLINE: {},
};
const BASES: readonly Variant[] = [
  { name: 'election', settings: {}, expected: 'holds' },
  { name: 'election, longer ttl', settings: { TTL: 3, FAULTS: 0 }, expected: 'holds' },
  { name: 'election, three controllers', settings: { N: 3, MAXT: 2, FAULTS: 0, LOSS: 0 }, expected: 'holds' },
  { name: 'election, progress', settings: { LIVE: 1 }, expected: 'holds' },
  { name: 'election, old state restored', settings: { RESTORE: 1 }, expected: 'holds' },
  { name: 'pod', settings: { POD: 1 }, expected: 'holds' },
  { name: 'pod, clocks stand', settings: { POD: 1, FROZEN: 1 }, expected: 'holds' },
];

const variants: readonly Variant[] = [
  ...BASES,
  ...switched(HARMLESS, 'holds'),
  ...switched(MUTANTS, 'violated'),
  ...switched(GAPS, 'violated'),
];

function switched(table: Readonly<Record<string, Settings>>, expected: Variant['expected']): readonly Variant[] {
  return Object.entries(table).map(([name, settings]) => ({ name, settings: { ...settings, [name]: 1 }, expected }));
}

/** Smaller where a part has many states. */
function settingsOf({ settings }: Variant): Settings {
  const switches = [...PARTS, ...[MUTANTS, GAPS, HARMLESS].flatMap(Object.keys)];
  return {
    ...SIZES,
    ...(settings['RESTORE'] ? { FAULTS: 1 } : {}),
    ...(settings['POD'] ? { MAXT: 2, FAULTS: 1, LOSS: 0 } : {}),
    ...Object.fromEntries(switches.map((name) => [name, 0])),
    ...settings,
  };
}

/** Installs the verifier when it is missing, and runs the variants, two at a time. */
export async function checkModel(
  chosen: readonly Variant[] = variants,
  found: (finding: Finding) => void = () => undefined,
): Promise<readonly Finding[]> {
  await install({ spin: 'spin', gcc: 'gcc' });
  const queue = chosen.entries();
  const findings: Finding[] = [];
  const work = async (): Promise<void> => {
    for (const [index, variant] of queue) {
      const outcome = await verify(variant);
      const asExpected = (outcome.violation === undefined) === (variant.expected === 'holds');
      const finding = { ...variant, ...outcome, asExpected };
      findings[index] = finding;
      found(finding);
    }
  };
  await Promise.all([work(), work()]);
  return findings;
}

async function verify(variant: Variant): Promise<Outcome> {
  const cwd = mkdtempSync(join(tmpdir(), 'highlander-model-'));
  try {
    const settings = settingsOf(variant);
    copyFileSync(MODEL, join(cwd, 'lease.pml'));
    await run(['spin', ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`), '-a', 'lease.pml'], {
      cwd,
    });
    const kind = settings['LIVE'] ? [] : ['-DSAFETY'];
    await run(['gcc', '-O1', '-w', ...kind, '-DNOREDUCE', '-DHC4', '-DMEMLIM=1500', '-o', 'pan', 'pan.c'], { cwd });
    const began = performance.now();
    const report = await run([join(cwd, 'pan'), ...(settings['LIVE'] ? ['-a'] : []), '-m100000', '-w22'], { cwd });
    return { ...outcomeOf(report), seconds: (performance.now() - began) / 1000 };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** By words of the assertion, which the verifier prints with all macros expanded. */
const PROPERTIES: readonly (readonly [string, string])[] = [
  ['acceptance cycle', 'nobody leads for ever'],
  ['running==0', 'a pod beside another'],
  ['everTouched', 'a create after a higher term'],
  ['touched', 'a write after a higher term'],
  ['term>acted', 'a term twice'],
  ['left>0', 'two leaders'],
];

function propertyOf(violation: string): string {
  return PROPERTIES.find(([words]) => violation.includes(words))?.[1] ?? violation;
}

/** A search that was cut short proves nothing. */
function outcomeOf(report: string): Omit<Outcome, 'seconds'> {
  const [, depth] = /depth reached (\d+), errors: \d+/.exec(report) ?? [];
  const [, states] = /(\d+) states, stored/.exec(report) ?? [];
  const [, violation] = /^pan:\d+: (.+?) \(at depth \d+\)$/m.exec(report) ?? [];
  const cutShort = /max search depth too small|out of memory|Search not completed/.test(report);
  if (depth === undefined || states === undefined || (cutShort && violation === undefined))
    throw new Error(`the search did not end:\n${report}`);
  return { states: Number(states), depth: Number(depth), violation: violation && propertyOf(violation) };
}

const WIDTHS = [-30, 9, 7, 8, 1];

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, i) => {
    const width = WIDTHS[i] ?? 0;
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  });
  return padded.join('  ');
}

function show({ name, states, depth, seconds, violation, asExpected }: Finding): string {
  const result = `${violation ?? 'holds'}${asExpected ? '' : '  <-- not expected'}`;
  return row([name, String(states), String(depth), seconds.toFixed(1), result]);
}

async function main(names: readonly string[]): Promise<boolean> {
  const chosen = variants.filter(({ name }) => names.length === 0 || names.includes(name));
  console.log(row(['variant', 'states', 'depth', 'seconds', 'result']));
  const findings = await checkModel(chosen, (finding) => console.log(show(finding)));
  return findings.length > 0 && findings.every(({ asExpected }) => asExpected);
}

if (import.meta.main) process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
