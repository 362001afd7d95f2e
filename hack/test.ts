/** Runs every suite one after another and ends with one line that sums them up. Exit code 1 when anything failed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Tally } from './tally.ts';
import { add, failures, fromVitest, summary } from './tally.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CHECKS = ['types', 'lint', 'format:check', 'imports', 'generated', 'unused'];
const PROJECTS = ['unit', 'e2e'];

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  return status === 0;
}

function timed<T>(name: string, act: () => T): T {
  const start = performance.now();
  console.log(`\n── ${name}`);
  const result = act();
  console.log(`── ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

function check(script: string): Tally {
  const passed = timed(script, () => run(['npm', 'run', '--silent', script]));
  if (!passed) failed.push(script);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

function tests(project: string, reports: string): Tally {
  const report = join(reports, `${project}.json`);
  const args = ['--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const passed = timed(`${project} tests`, () => run(['npx', 'vitest', 'run', ...args]));
  try {
    const results: unknown = JSON.parse(readFileSync(report, 'utf8'));
    failed.push(...failures(results).map((line) => line.replace(`${ROOT}/`, '')));
    return fromVitest(results, passed);
  } catch {
    failed.push(`${project}: no report`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const reports = mkdtempSync(join(tmpdir(), 'highlander-test-'));
const failed: string[] = [];
let total: Tally = { passed: 0, failed: 0, skipped: 0 };
try {
  const prepared = timed('what the tests need', () => run(['npm', 'run', '--silent', 'prepare:tests']));
  if (!prepared) total = add(total, { passed: 0, failed: 1, skipped: 0 });
  for (const script of CHECKS) total = add(total, check(script));
  if (prepared) for (const project of PROJECTS) total = add(total, tests(project, reports));
} finally {
  rmSync(reports, { recursive: true, force: true });
}
if (failed.length > 0) console.log(`\nFailed:\n${failed.map((line) => `  ${line}`).join('\n')}`);
console.log(`\n${summary(total)}`);
process.exitCode = total.failed > 0 ? 1 : 0;
