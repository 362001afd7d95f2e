import { globSync, writeFileSync } from 'node:fs';

/** The environment of a process whose wall clock is off by so many seconds; its monotonic clock is right. */
export function faketime(shift: number): Readonly<Record<string, string>> {
  return { ...preload(), FAKETIME: offset(shift) };
}

/** The same for one whose clock jumps each time that the file is written, by `setFaketime`. */
export function jumpingFaketime(file: string): Readonly<Record<string, string>> {
  return { ...preload(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' };
}

/** Seconds by which the clocks are off from now on. */
export function setFaketime(file: string, shift: number): void {
  writeFileSync(file, `${offset(shift)}\n`);
}

function preload(): Readonly<Record<string, string>> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (library === undefined)
    throw new Error('libfaketime is missing: apt-get install libfaketime, or `npm run prepare:tests`');
  return { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

function offset(shift: number): string {
  return shift < 0 ? String(shift) : `+${shift}`;
}
