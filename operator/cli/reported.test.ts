/** Files that people reported of systems of this kind, and the examples of the original: what `validate`, `render` and the cluster make of each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examples } from '../config/testing/published.ts';
import { stringifyYaml } from '../lib/yaml.ts';
import { CrdServer } from '../reconcile/testing/crd-server.ts';
import { byCluster } from './testing/by-cluster.ts';
import type { Workload } from './workloads.ts';
import { checkSources } from './workloads.ts';

const FOLDER = join(import.meta.dirname, 'testing/cases');

let server: CrdServer;
beforeAll(async () => {
  server = await CrdServer.start();
}, 120_000);
afterAll(() => server?.[Symbol.asyncDispose]());

/** Without what only the file knows of it. */
function objectOf({ apiVersion, kind, metadata, spec }: Workload): string {
  return stringifyYaml({ apiVersion, kind, metadata, spec });
}

function check(name: string, text: string) {
  const { workloads, findings, warnings } = checkSources([{ name, text }]);
  const lines = (all: typeof findings) => all.map(({ at, what }) => `${at}: ${what}`);
  return { workloads, findings: lines(findings), warnings: lines(warnings) };
}

const TEXT = 'must be a string, but YAML reads it as a boolean: put it in quotes';

/** What is found, line by line; nothing: it is accepted. */
const FOUND: Readonly<Record<string, readonly RegExp[]>> = {
  'broken-image-cron.yaml': [],
  'broker-loadbalancer.yaml': [],
  'claim-growth.yaml': [],
  'config-octal-mode.yaml': [],
  'cron-manual-run.yaml': [],
  'dst-berlin.yaml': [],
  'dump-cron.yaml': [],
  'env-reference-order.yaml': [],
  'indexed-cron.yaml': [],
  'official-image.yaml': [],
  'probe-both.yaml': [],
  'refused-successor.yaml': [],
  'scheduler-process.yaml': [],
  'timezone-lowercase.yaml': [
    /^timezone-lowercase\.yaml:7:13: spec\.timeZone: "europe\/berlin" is not a time zone .*Europe\/Berlin, in exactly this case$/,
  ],
  'yaml11-booleans.yaml': ['COUNTRY', 'FEATURE_X', 'VERBOSE'].map(
    (name, index) => new RegExp(`^yaml11-booleans\\.yaml:${8 + index}:\\d+: spec\\.env\\.${name} ${TEXT}$`),
  ),
  'yaml11-suspend.yaml': [],
};

/** What only the cluster knows of. */
const ADMISSION: Readonly<Record<string, RegExp>> = {
  'refused-successor.yaml': /service account shop\/importr: serviceaccount "importr" not found/,
};

describe('a reported case', () => {
  it('is each in the table', () => expect(readdirSync(FOLDER).toSorted()).toEqual(Object.keys(FOUND)));

  it.each(Object.entries(FOUND))('%s', async (name, expected) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const { findings, warnings, workloads } = check(name, text);
    expect(findings).toEqual(expected.map((line) => expect.stringMatching(line) as string));
    expect(warnings.join()).toMatch(name === 'dst-berlin.yaml' ? /does not run on .* and runs twice on/ : /^$/);
    expect(workloads).toHaveLength(expected.length > 0 ? 0 : 1);
    const inputs = name.startsWith('config-') ? workloads.map(objectOf) : [text];
    const byAdmission = ADMISSION[name];
    for (const input of inputs) {
      const { refusal, drift } = await byCluster(server, input);
      const refused = expected.length > 0 || byAdmission !== undefined;
      expect({ refused: refusal !== undefined, drift }).toEqual({ refused, drift: undefined });
      expect(refusal ?? '').toMatch(byAdmission ?? /^/);
    }
  });
});

describe('an example of the original', () => {
  const all = [...examples.config, ...examples.manifests].map((each) => [each.text.slice(0, 400), each.text] as const);

  it.each(all)('%s', async (_, text) => {
    const { findings, workloads } = check('example.yaml', text);
    expect(findings).toEqual([]);
    for (const workload of workloads)
      expect([workload.metadata.name, await byCluster(server, objectOf(workload))]).toEqual([
        workload.metadata.name,
        {},
      ]);
  });
});
