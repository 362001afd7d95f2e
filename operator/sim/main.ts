/** `npm run sim`: plays seeds, replays one, or sees whether planted defects are found. Ends with 1 on a finding. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from '../lib/clock.ts';
import { bundle, playBatch } from './campaign.ts';
import type { Profile } from './profiles.ts';
import { profiles } from './profiles.ts';
import type { Report } from './worker.ts';
import { hunt, rowOf, zoo } from './zoo.ts';

const HELP = `npm run sim -- [options]
  --seeds N     Number of seeds to play. Default: 2000
  --from S      First seed. Default: 1
  --profile P   ${Object.keys(profiles).join(' | ')}. Default: by seed
  --mutant M    Plant a defect first: ${zoo.map(({ name }) => name).join(', ')}
  --zoo         Plant each defect in turn; fail if one is not found within N seeds
  --replay S    Play one seed and print every event
  --verbose     Print the last events of each failing seed
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    profile: { type: 'string' },
    mutant: { type: 'string' },
    zoo: { type: 'boolean', default: false },
    replay: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

function profileOf(name: string | undefined): { readonly profile?: Profile } {
  if (name === undefined) return {};
  if (name in profiles) return { profile: name as Profile };
  throw new Error(`unknown profile "${name}": expected ${Object.keys(profiles).join(', ')}`);
}

function mutantOf(name: string | undefined) {
  const mutant = zoo.find((candidate) => candidate.name === name);
  if (name !== undefined && !mutant) throw new Error(`unknown mutant "${name}": see --help`);
  return mutant;
}

function summary({ seed, profile, isSchedule, violation }: Report): string {
  const at = ((violation?.at ?? 0) / 1000).toFixed(3);
  return `${isSchedule ? 'schedule' : `seed ${seed}`} (${profile}) after ${at} s: ${violation?.property}: ${violation?.detail}`;
}

/** Seeds are dealt to as many threads as there are processors. */
async function campaign(): Promise<boolean> {
  const code = await bundle(mutantOf(values.mutant));
  const total = Number(values.seeds);
  const threads = Math.max(1, Math.min(availableParallelism(), total));
  const began = systemClock.monotonic();
  const failed: Report[] = [];
  let runs = 0;
  let simulatedMs = 0;
  const each = (report: Report) => {
    runs += 1;
    simulatedMs += report.simulatedMs;
    if (report.violation) failed.push(report);
  };
  const share = Math.ceil(total / threads);
  const batches = Array.from({ length: threads }, (_, i) => ({
    ...profileOf(values.profile),
    from: Number(values.from) + i * share,
    seeds: Math.min(share, total - i * share),
    schedules: i === 0 && values.profile === undefined,
    untilFound: false,
  }));
  await Promise.all(batches.map((batch) => playBatch(code, batch, each)));
  const seconds = (systemClock.monotonic() - began) / 1000;
  for (const report of failed) {
    say(summary(report));
    if (values.verbose) say(report.lines.map((line) => `    ${line}`).join('\n'));
  }
  say(
    `${runs} runs, ${failed.length} failed, ${Math.round(simulatedMs / 3_600_000)} h simulated in ${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} runs/s`,
  );
  return failed.length === 0;
}

async function replay(seed: number): Promise<boolean> {
  const code = await bundle(mutantOf(values.mutant));
  const batch = { ...profileOf(values.profile), from: seed, seeds: 1, schedules: false, untilFound: false, lines: 1e9 };
  let ended: Report | undefined;
  const found = await playBatch(code, batch, (report) => void (ended = report));
  if (!ended) throw new Error(`seed ${seed} returned no report`);
  say([...ended.lines, `hash ${ended.hash}, ${ended.events} events`].join('\n'));
  if (found) say(summary(found));
  return found === undefined;
}

/** Prints a row per defect, as the table in the documents has it. */
async function visitZoo(): Promise<boolean> {
  const chosen = mutantOf(values.mutant);
  let all = true;
  for (const mutant of chosen ? [chosen] : zoo) {
    const found = await hunt(mutant, { from: Number(values.from), seeds: Number(values.seeds) });
    say(rowOf(mutant, found));
    all &&= found !== undefined;
  }
  return all;
}

async function main(): Promise<boolean> {
  if (values.help) {
    say(HELP);
    return true;
  }
  if (values.zoo) return visitZoo();
  return values.replay === undefined ? campaign() : replay(Number(values.replay));
}

process.exitCode = (await main()) ? 0 : 1;
