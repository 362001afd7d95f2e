/**
 * `validate` against a real API server: some hundred inputs go to both, as strict dry runs; they must be of one mind, and what would be
 * stored must hold what `render` prints.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChildType } from '../api/children.ts';
import { NOTHING_LIVE, render } from '../app/render.ts';
import type { KubeObject } from '../cluster/cluster-client.ts';
import { ApiError } from '../cluster/cluster-client.ts';
import { parseYaml } from '../config/yaml.ts';
import { contains } from '../reconcile/contains.ts';
import { tenantOf } from '../reconcile/metadata.ts';
import { CrdServer } from '../reconcile/testing/crd-server.ts';
import { checkSources } from './workloads.ts';
import type { Input } from './testing/mutations.ts';
import { mutations } from './testing/mutations.ts';
import { worldly } from './testing/worldly.ts';

const SETTING = { tenant: 'default', clusterName: 'east', term: 1, live: NOTHING_LIVE };
const ROOT = join(import.meta.dirname, '../..');

let server: CrdServer;

beforeAll(async () => {
  server = await CrdServer.start();
}, 120_000);

afterAll(() => server?.[Symbol.asyncDispose]());

interface Verdict {
  /** Undefined: accepted. */
  readonly refusal?: string | undefined;
  /** What is stored otherwise than `render` prints it. */
  readonly drift?: string | undefined;
}

/** Of everything that applying it would make. */
async function byCluster(text: string): Promise<Verdict> {
  for (const { value, errors } of parseYaml(text)) {
    if (errors.length > 0) return { refusal: errors[0]?.what };
    const object = value as KubeObject & { spec: unknown };
    const type = CrdServer.types.find(({ kind }) => kind === object.kind);
    if (!type) continue;
    const placed = { ...object, metadata: { ...object.metadata, namespace: CrdServer.namespace } };
    const stored = await dryRun(type, placed);
    if (typeof stored === 'string') return { refusal: stored };
    if (!contains(stored, withoutNull({ spec: object.spec }))) return { drift: `${type.kind} is stored otherwise` };
    const verdict = await childrenOf({ ...stored, kind: type.kind });
    if (verdict.refusal ?? verdict.drift) return verdict;
  }
  return {};
}

async function childrenOf(stored: KubeObject & { spec?: unknown; kind: string }): Promise<Verdict> {
  const metadata = { ...stored.metadata, labels: { ...stored.metadata.labels } };
  let children;
  try {
    children = render(
      { kind: stored.kind, metadata, spec: stored.spec },
      { ...SETTING, tenant: tenantOf({ metadata }) },
    );
  } catch (error) {
    return { refusal: `render: ${(error as Error).message}` };
  }
  for (const { type, object } of children) {
    const { ownerReferences: _, ...rest } = object.metadata;
    const child = await dryRun(type, { ...object, metadata: rest });
    if (typeof child === 'string') return { refusal: `${type.kind}: ${child}` };
    if (!contains(child, { spec: object.spec, labels: undefined }))
      return { drift: `${type.kind} is stored otherwise` };
  }
  return {};
}

/** What would be stored, or why not. */
async function dryRun(type: ChildType, object: KubeObject): Promise<(KubeObject & { spec?: unknown }) | string> {
  try {
    return await server.client.create(type, object, { dryRun: true, strict: true, fieldManager: 'highlander' });
  } catch (error) {
    if (error instanceof ApiError && error.code < 500) return error.message;
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

/** The API server takes a null out where a field has a default. */
function withoutNull(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => inner ?? undefined));
}

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
as strict dry runs. They say the same of all of them, and what would be stored holds what \`render\` prints. \`validate\` alone refuses what can be stored but never
run: arguments, variables and scripts that are longer than Linux takes.

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
    const [ours, theirs] = [byValidate(input), await byCluster(input.text)];
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
