/**
 * `make bench`: what the product costs, each number beside a limit or a peer that was measured in the same run.
 *   main.ts [start | memory | idle | latency | burst | handover | stores [STORE]]
 * A benchmark is no test: whatever the verdicts, the exit code is 0 unless something could not be measured.
 */
import { availableParallelism, loadavg } from 'node:os';
import { installFor } from '../hack/lab/tools.ts';
import { burst } from './burst.ts';
import { handover } from './handover.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { Rig } from './rig.ts';
import { start } from './start.ts';
import { stores } from './stores.ts';
import type { Result } from './table.ts';
import { renderTable } from './table.ts';

/** In this order: the first ones want a cluster with little in it. */
const BENCHMARKS = new Map<string, (rig: Rig) => Promise<Result>>([
  ['start', start],
  ['memory', memory],
  ['idle', idle],
  ['latency', latency],
  ['burst', burst],
]);

/** On servers of its own: needs no cluster. */
const STORES = 'stores';
/** On two clusters of its own, whose pods really run. */
const HANDOVER = 'handover';

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(130);
    say(`\n${name}: removing what was started (repeat the signal to leave at once)`);
    stopping.abort(new Error('interrupted'));
  });
}

async function main(only: string | undefined, store: string | undefined): Promise<void> {
  const names = [...BENCHMARKS.keys(), HANDOVER, STORES];
  if (only !== undefined && !names.includes(only))
    throw new Error(`unknown benchmark "${only}": expected ${names.join(', ')}`);
  const chosen = [...BENCHMARKS].filter(([name]) => only === undefined || only === name);
  await installFor('bench');
  const results: Result[] = [];
  const loadBefore = load();
  try {
    if (chosen.length > 0) await onCluster(chosen, results);
    if (only === undefined || only === HANDOVER) {
      say(`Measuring: ${HANDOVER}`);
      results.push(await handover());
    }
    if (only === undefined || only === STORES) {
      say(`Measuring: ${STORES}`);
      await stores(stopping.signal, results, store);
    }
  } finally {
    if (results.length > 0) report(results, loadBefore); // also when a later one failed
  }
}

async function onCluster(chosen: readonly [string, (rig: Rig) => Promise<Result>][], results: Result[]): Promise<void> {
  say('Starting a cluster with simulated nodes, and Redis');
  await Rig.use(stopping.signal, async (rig) => {
    for (const [name, run] of chosen) {
      say(`Measuring: ${name}`);
      results.push(await run(rig));
    }
  });
}

function report(results: readonly Result[], loadBefore: string): void {
  console.log(renderTable(results.flatMap(({ rows }) => rows)));
  console.log(`\n${results.flatMap(({ notes = [] }) => notes).join('\n')}`);
  console.log(`machine: ${availableParallelism()} cores; load ${loadBefore} before, ${load()} at the end`);
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  await main(process.argv[2], process.argv[3]);
} catch (error) {
  say(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(stopping.signal.aborted ? 130 : 1); // what was interrupted may still wait for something
}
