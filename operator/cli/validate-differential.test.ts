/**
 * `validate` against a real API server: some hundred inputs go to both, as strict dry runs; they must be of one mind, and what would be
 * stored must hold what `render` prints.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CrdServer } from '../reconcile/testing/crd-server.ts';
import { checkSources } from './workloads.ts';
import { byCluster, type Verdict } from './testing/by-cluster.ts';
import type { Input } from './testing/mutations.ts';
import { mutations } from './testing/mutations.ts';
import { worldly } from './testing/worldly.ts';

const ROOT = join(import.meta.dirname, '../..');

let server: CrdServer;

beforeAll(async () => {
  server = await CrdServer.start();
}, 120_000);

afterAll(() => server?.[Symbol.asyncDispose]());

function byValidate({ text }: Input): Verdict {
  const { findings } = checkSources([{ name: 'input.yaml', text }]);
  return { refusal: findings[0] && `${findings[0].at}: ${findings[0].what}` };
}

interface Row {
  inputs: number;
  accepted: number;
  refused: number;
}

const HEAD = `# What \`validate\` has been compared with

\`operator/cli/validate-differential.test.ts\` gives each of these inputs to \`highlander validate\` and, with everything that \`render\` makes of it, to a real API server
as strict dry runs. Both accept and reject the same inputs, and what would be stored contains what \`render\` prints. Only \`validate\` rejects what can be stored but never
run: arguments, variables and scripts that are longer than Linux accepts.

`;

function tableOf(rows: ReadonlyMap<string, Row>): string {
  const cells = [
    ['Inputs', 'number', 'accepted', 'refused'],
    ...[...rows].map(([name, { inputs, accepted, refused }]) => [name, ...[inputs, accepted, refused].map(String)]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return `${HEAD}${lines.join('\n')}\n`;
}

it('says of every input what the cluster says', async () => {
  const inputs = [...mutations(), ...worldly(ROOT)];
  expect(inputs.length).toBeGreaterThan(400);
  const rows = new Map<string, Row>();
  const differences: string[] = [];
  for (const input of inputs) {
    const [ours, theirs] = [byValidate(input), await byCluster(server, input.text)];
    const row = rows.get(input.group) ?? { inputs: 0, accepted: 0, refused: 0 };
    rows.set(input.group, row);
    row.inputs++;
    row[ours.refusal === undefined ? 'accepted' : 'refused']++;
    const agree = (ours.refusal === undefined) === (theirs.refusal === undefined && !input.neverRuns);
    if (!agree)
      differences.push(
        `${input.group}, ${input.name}:\n  validate: ${ours.refusal ?? 'accepted'}\n  cluster: ${theirs.refusal ?? 'accepted'}`,
      );
    if (theirs.drift) differences.push(`${input.group}, ${input.name}: ${theirs.drift}`);
  }
  expect(differences.join('\n')).toBe('');
  await expect(tableOf(rows)).toMatchFileSnapshot('../../docs/validate.md');
}, 180_000);
