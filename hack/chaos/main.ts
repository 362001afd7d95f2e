/**
 * `make chaos`: faults on two real clusters with one store, and what the workloads have of each. Ends with 1 when one ran
 * twice outside the documented hole.
 *   main.ts [--rounds N] [--seed S] [--fault NAME]… [--keep FOLDER] [--list]
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { REAL } from '../../e2e/support/chaos/campaign.ts';
import { faults } from '../../e2e/support/chaos/faults.ts';
import { installFor } from '../lab/tools.ts';
import { conduct } from './conduct.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    /** Default: random. */
    seed: { type: 'string' },
    fault: { type: 'string', multiple: true },
    /** Folder in which logs, events and diaries are left. */
    keep: { type: 'string' },
    list: { type: 'boolean' },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);

if (values.list) for (const name of Object.keys(faults)) say(name);
else {
  const seed = values.seed === undefined ? randomInt(1e9) : Number(values.seed);
  say(`seed ${seed}`);
  const chosen = values.fault ?? Object.keys(faults);
  await installFor('chaos');
  const rounds = Number(values.rounds);
  process.exitCode = await conduct({ chosen, rounds, seed, keep: values.keep, say }, REAL);
}
