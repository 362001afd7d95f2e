import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { assertAlive, isAlive, parseStat, signal, startDetached, startTime, stopProcess } from './processes.ts';
import { GiveUp, waitFor } from './wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'processes-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('finds the start time behind any program name', () => {
  const stat = (name: string, state: string, threads = 1): string =>
    `12 (${name}) ${state} ${'0 '.repeat(16)}${threads} 0 4711 5 6`;
  expect(parseStat(stat('a b) c', 'S'))).toBe('4711');
  expect(parseStat(stat('gone', 'Z'))).toBeUndefined();
  expect(parseStat(stat('its threads hold its ports', 'Z', 2))).toBe('4711');
});

test('a process of ours is ended, also one that ignores being asked to', async () => {
  const stubborn = startDetached(['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'], join(folder, 'log'));
  expect(isAlive(stubborn)).toBe(true);
  await stopProcess(stubborn, 100);
  expect(isAlive(stubborn)).toBe(false);
});

test('a process that has the pid of ours, but started at another time, is left alone', async () => {
  const other = { pid: process.pid, started: 'long ago', command: ['x'], log: join(folder, 'log') };
  expect(isAlive(other)).toBe(false);
  signal(other, 'SIGKILL');
  await stopProcess(other, 0);
  expect(startTime(process.pid)).toBeDefined();
});

test('says why a server ended', async () => {
  const short = startDetached(['sh', '-c', 'echo no such flag'], join(folder, 'short.log'));
  await waitFor('its end', () => !isAlive(short));
  expect(() => assertAlive('etcd', short)).toThrow(GiveUp);
  expect(() => assertAlive('etcd', short)).toThrow(/etcd ended.*\n {2}no such flag/s);
});

test('a program that is not there is an error', () => {
  expect(() => startDetached(['/no/such/program'], join(folder, 'log'))).toThrow('cannot start /no/such/program');
});
