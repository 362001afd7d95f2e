/**
 * `make soak`: elections of real processes on real stores, with faults, one after another and each with a seed of its
 * own. Ends with 1 when a property did not hold.
 *   main.ts [--minutes N] [--seed S] [--store redis|db]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { playElection } from '../../e2e/support/election/run.ts';
import { installFor } from '../lab/tools.ts';
import { STORES, type StoreName } from '../../e2e/support/election/stores.ts';

/** A new seed, and a new store, after so long. */
const LONGEST_MS = 180_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    /** Of the first election; the next ones count up. Default: random. */
    seed: { type: 'string' },
    store: { type: 'string' },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(130); // ends what was started, leaves its folders
    say(`${name}: ending after this round (repeat the signal to leave at once)`);
    stopping.abort(new Error('interrupted'));
  });
}

function chosenStores(): readonly StoreName[] {
  const names = Object.keys(STORES) as StoreName[];
  const chosen = names.filter((name) => values.store === undefined || values.store === name);
  if (chosen.length === 0) throw new Error(`unknown store "${values.store}": expected ${names.join(', ')}`);
  return chosen;
}

async function main(): Promise<boolean> {
  const stores = chosenStores();
  await installFor('soak');
  const totalMs = Number(values.minutes) * 60_000;
  const runs = Math.max(stores.length, Math.ceil(totalMs / LONGEST_MS));
  const firstSeed = values.seed === undefined ? randomInt(1e9) : Number(values.seed);
  let held = true;
  for (let run = 0; run < runs && held && !stopping.signal.aborted; run += 1) {
    const store = stores[run % stores.length] ?? 'redis';
    const seed = firstSeed + run;
    say(`${store}, seed ${seed}`);
    const report = await playElection({
      store,
      seed,
      ms: totalMs / runs,
      tenant: 'soak',
      signal: stopping.signal,
      say,
    });
    say(report.summary);
    for (const { property, detail } of report.violations.slice(0, 10)) say(`  ${property}: ${detail}`);
    if (report.violations.length > 0) say(report.story);
    held = report.violations.length === 0;
  }
  return held;
}

process.exit((await main()) ? 0 : 1);
