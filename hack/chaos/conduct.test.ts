/** A campaign that fails or is interrupted shows what it has played. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';

function start(...faults: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/main.ts'), ...faults]);
  const said = { out: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => Number(code));
  return { child, said, ended };
}

const ROW = /^\| short \| 1 \|/m;

it('all rounds', async () => {
  const { said, ended } = start('short', 'short');
  expect(await ended).toBe(0);
  expect(said.out).toMatch(/^\| short \| 2 \|/m);
});

it('a round that throws', async () => {
  const { said, ended } = start('short', 'throwing', 'short');
  expect(await ended).toBe(1);
  expect(said.out).toContain('error: the cluster is gone');
  expect(said.out).toMatch(ROW);
});

it('a signal: after the round that is played', async () => {
  const { said, ended } = start('short', 'interrupted', 'short');
  expect(await ended).toBe(0);
  expect(said.out).toMatch(ROW);
  expect(said.out).toMatch(/^\| interrupted \| 1 \|/m);
});

it('two signals: at once', async () => {
  const { child, said, ended } = start('short', 'endless');
  await expect.poll(() => said.out, { timeout: 15_000 }).toContain('short: ');
  child.kill('SIGINT');
  await expect.poll(() => said.out).toContain('repeat the signal to leave at once');
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(said.out).toMatch(ROW);
});

it('a fault that there is not', async () => {
  const { said, ended } = start('shrot');
  expect(await ended).toBe(1);
  expect(said.out).toContain('unknown fault "shrot": expected short; ');
});
