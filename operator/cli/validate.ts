/** `highlander validate`: says what is wrong with workloads and configuration files, without a cluster. */
import { exitCodes } from './exit-codes.ts';
import type { Streams } from './streams.ts';
import { readSources } from './documents.ts';
import { checkSources } from './workloads.ts';

/** 0: all is well; 1: something is wrong. Throws when a file cannot be read. */
export function validate(paths: readonly string[], { out, err }: Streams): number {
  const sources = readSources(paths);
  const { workloads, findings, warnings, settings } = checkSources(sources);
  for (const { at, what } of warnings) err(`${at}: warning: ${what}\n`);
  for (const { at, what } of findings) err(`${at}: ${what}\n`);
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  const what = [
    count(sources.length, 'file'),
    ...(settings > 0 ? [count(settings, 'setting')] : []),
    count(workloads.length, 'valid workload'),
  ];
  out(`${what.join(', ')}: ${count(findings.length, 'problem')}\n`);
  return findings.length > 0 ? exitCodes.failed : exitCodes.done;
}
