import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Rule, file, what is planted in it. */
const PLANTED: readonly (readonly [rule: string, file: string, source: string])[] = [
  ['no-restricted-properties', 'operator/lease/env.ts', 'export const a = process.env;'],
  ['no-restricted-properties', 'operator/lease/now.ts', 'export const a = Date.now();'],
  ['no-restricted-properties', 'operator/config/load.ts', 'export const a = Date.now();'],
  ['no-restricted-properties', 'operator/lease/random.ts', 'export const a = Math.random();'],
  ['no-restricted-globals', 'operator/lease/timeout.ts', 'setTimeout(() => {}, 1);'],
  ['no-restricted-globals', 'operator/lease/interval.ts', 'setInterval(() => {}, 1);'],
  ['no-restricted-globals', 'operator/lease/performance.ts', 'export const a = performance.now();'],
  ['no-restricted-imports', 'operator/lease/timers.ts', `export { setTimeout } from 'node:timers/promises';`],
  ['no-console', 'operator/lease/console.ts', `console.log('a');`],
  ['no-cycle', 'operator/lease/cycle-a.ts', `import { b } from './cycle-b.ts';\nexport const a = () => b();`],
  ['no-cycle', 'operator/lease/cycle-b.ts', `import { a } from './cycle-a.ts';\nexport const b = (): unknown => a();`],
  ['no-explicit-any', 'operator/lease/any.ts', 'export const a: any = 1;'],
  ['no-floating-promises', 'operator/lease/floating.ts', 'export const a = () => {\n  Promise.resolve();\n};'],
  ['no-misused-promises', 'operator/lease/misused.ts', `if (Promise.resolve(true)) throw new Error('a');`],
  ['no-unsafe-member-access', 'operator/lease/unsafe.ts', `export const a: unknown = JSON.parse('1').b;`],
  [
    'switch-exhaustiveness-check',
    'operator/lease/switch.ts',
    `export function a(b: 'x' | 'y'): void {\n  switch (b) {\n    case 'x':\n  }\n}`,
  ],
  ['consistent-type-imports', 'operator/lease/types.ts', `import { Server } from 'node:net';\nexport type A = Server;`],
  ['max-lines', 'operator/lease/long.ts', 'export {};\n'.repeat(301)],
  ['max-lines-per-function', 'operator/lease/function.ts', `export function a(): void {\n${'  a();\n'.repeat(50)}}`],
  ['max-params', 'operator/lease/params.ts', 'export const a = (b: 1, c: 1, d: 1, e: 1, f: 1) => [b, c, d, e, f];'],
  [
    'complexity',
    'operator/lease/complex.ts',
    `export const a = (b: string) => ${Array.from({ length: 13 }, (_, n) => `b === '${n}'`).join(' || ')};`,
  ],
];

/** What the same rules must allow. */
const FINE: readonly (readonly [file: string, source: string])[] = [
  ['operator/lib/clock.ts', 'export const a = () => [Date.now(), performance.now(), setTimeout(() => {}, 1)];'],
  ['operator/main.ts', 'export const a = process.env;'],
  ['operator/app.ts', 'export const a = Math.random();'],
  ['operator/lease/a.test.ts', 'export const a = [Date.now(), process.env];'],
  ['hack/tool.ts', `console.log(process.env, Date.now());`],
];

let root = '';
let found: readonly string[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'highlander-lint-'));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(join(ROOT, file), join(root, file));
  for (const [, file, source] of PLANTED) plant(file, source);
  for (const [file, source] of FINE) plant(file, source);
  found = await lint();
});
afterAll(() => rmSync(root, { recursive: true }));

function plant(file: string, source: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), `${source}\n`);
}

async function lint(): Promise<readonly string[]> {
  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
  const failed = await promisify(execFile)(oxlint, ['-f', 'unix', 'operator', 'hack'], {
    cwd: root,
    timeout: 30_000,
  }).catch((error: { stdout: string }) => error);
  return failed.stdout.split('\n').map((line) => line.replace(/^(?:\.\/)?([^:]+):.*\(([\w-]+)\)\]$/, '$1: $2'));
}

describe('the lint rules', () => {
  it.each(PLANTED)('find %s in %s', (rule, file) => expect(found).toContain(`${file}: ${rule}`));

  it.each(FINE)('allow %s its means', (file) =>
    expect(found.filter((line) => line.startsWith(`${file}:`))).toEqual([]),
  );
});
