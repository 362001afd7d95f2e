import { globSync } from 'node:fs';

/** The environment of a process whose wall clock is off by so many seconds; its monotonic clock is right. */
export function faketime(shift: number): Readonly<Record<string, string>> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
  if (library === undefined)
    throw new Error('libfaketime is missing: apt-get install libfaketime, or `npm run prepare:tests`');
  return { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME: shift < 0 ? String(shift) : `+${shift}` };
}
