/**
 * Runs every suite and ends with one line that sums them up. Exit code 1 when anything failed. The suites that wait for
 * servers and clusters go one after another, and beside them the one that only computes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Tally } from './tally.ts';
import { add, failures, fromVitest, summary } from './tally.ts';

interface Suite {
  readonly name: string;
  /** For vitest. */
  readonly args: readonly string[];
  /** Whether its lines stand among another's, and begin with its name. */
  readonly isBeside?: boolean;
}

const ROOT = resolve(import.meta.dirname, '..');
const CHECKS = ['types', 'lint', 'format:check', 'imports', 'generated', 'unused'];
/** Without servers and without clocks: they may take as long as they like. */
const COMPUTED = ['operator/sim/', 'hack/model.test.ts'];

const SIMULATOR: Suite = { name: 'simulator', args: ['--project', 'unit', ...COMPUTED], isBeside: true };
const WAITING: readonly Suite[] = [
  { name: 'unit', args: ['--project', 'unit', ...COMPUTED.map((path) => `--exclude=${path.replace(/\/$/, '/**')}`)] },
  { name: 'e2e', args: ['--project', 'e2e'] },
];

async function run(command: readonly string[], prefix?: string): Promise<boolean> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', prefix ? 'pipe' : 'inherit', 'inherit'] });
  if (child.stdout) createInterface(child.stdout).on('line', (line) => console.log(`${prefix}${line}`));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

async function timed<T>(name: string, act: () => Promise<T>): Promise<T> {
  const start = performance.now();
  console.log(`\n── ${name}`);
  const result = await act();
  console.log(`── ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

async function check(script: string): Promise<Tally> {
  const passed = await timed(script, () => run(['npm', 'run', '--silent', script]));
  if (!passed) failed.push(script);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

async function tests({ name, args, isBeside }: Suite, reports: string): Promise<Tally> {
  const report = join(reports, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = ['npx', 'vitest', 'run', ...args, ...reporters];
  const passed = await timed(`${name} tests`, () => run(command, isBeside ? `${name} │ ` : undefined));
  try {
    const results: unknown = JSON.parse(readFileSync(report, 'utf8'));
    failed.push(...failures(results).map((line) => line.replace(`${ROOT}/`, '')));
    return fromVitest(results, passed);
  } catch {
    failed.push(`${name}: no report`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function oneByOne<T>(items: readonly T[], count: (item: T) => Promise<Tally>): Promise<Tally> {
  let total: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const item of items) total = add(total, await count(item));
  return total;
}

const reports = mkdtempSync(join(tmpdir(), 'highlander-test-'));
const failed: string[] = [];
let total: Tally = { passed: 0, failed: 0, skipped: 0 };
try {
  const prepared = await timed('what the tests need', () => run(['npm', 'run', '--silent', 'prepare:tests']));
  if (!prepared) total = add(total, { passed: 0, failed: 1, skipped: 0 });
  total = add(total, await oneByOne(CHECKS, check));
  if (prepared) {
    const play = (suite: Suite): Promise<Tally> => tests(suite, reports);
    const tallies = await Promise.all([play(SIMULATOR), oneByOne(WAITING, play)]);
    total = tallies.reduce(add, total);
  }
} finally {
  rmSync(reports, { recursive: true, force: true });
}
if (failed.length > 0) console.log(`\nFailed:\n${failed.map((line) => `  ${line}`).join('\n')}`);
console.log(`\n${summary(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
