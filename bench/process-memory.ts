/** What the kernel says of a process. Linux only. */
import { readFileSync } from 'node:fs';

export interface Memory {
  /** Bytes. */
  readonly rss: number;
  /** The part of `rss` that no other process shares: not the pages of the program's own file. */
  readonly anonymous: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { rss: field('VmRSS'), anonymous: field('RssAnon') };
}

/** Seconds of CPU time that a process has used so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100; // the kernel tells clock ticks of 10 ms on every architecture that we run on
}
