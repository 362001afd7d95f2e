/** Writes crds/*.yaml from operator/api, and the fields that Kubernetes knows into operator/api. With --check it writes nothing and ends with 1 when a file is not up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { customResourceDefinition } from '../operator/api/crd.ts';
import { customResources } from '../operator/api/kinds.ts';
import { kubernetesFields } from './kubernetes-fields.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'crds');
const HEADER = '# Generated from operator/api by hack/generate-crds.ts. Do not edit.\n';

const files = [
  ...customResources.map((resource) => ({
    path: join(FOLDER, `${resource.plural}.yaml`),
    text: HEADER + stringify(customResourceDefinition(resource), { lineWidth: 0, aliasDuplicateObjects: false }),
  })),
  {
    path: join(ROOT, 'operator/api/kubernetes-fields.json'),
    text: `${JSON.stringify(kubernetesFields(), undefined, 2)}\n`,
  },
];

function current(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function firstDifference(path: string, text: string): string {
  const have = current(path).split('\n');
  const want = text.split('\n');
  const line = want.findIndex((wanted, index) => wanted !== have[index]);
  const at = line < 0 ? want.length : line;
  return `${path}:${at + 1} is not up to date\n  has:  ${have[at] ?? ''}\n  want: ${want[at] ?? ''}`;
}

if (process.argv.includes('--check')) {
  const stale = files.filter(({ path, text }) => current(path) !== text);
  for (const { path, text } of stale) console.error(firstDifference(path, text));
  if (stale.length > 0) {
    console.error('Run: node hack/generate-crds.ts');
    process.exitCode = 1;
  }
} else for (const { path, text } of files) writeFileSync(path, text);
