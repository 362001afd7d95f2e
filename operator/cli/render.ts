/** `highlander render`: prints the objects that would be applied for workloads. */
import { NOTHING_LIVE, render as renderOne } from '../admin/render.ts';
import { stringifyYaml } from '../lib/yaml.ts';
import { tenantOf } from '../reconcile/metadata.ts';
import { exitCodes } from './exit-codes.ts';
import { readSources } from './documents.ts';
import type { Streams } from './streams.ts';
import { checkSources } from './workloads.ts';

/** What is rendered, and how it is printed. */
export interface RenderOptions {
  readonly paths: readonly string[];
  readonly output: 'yaml' | 'json';
  readonly clusterName: string;
  /** Of workloads that name none. */
  readonly namespace: string;
}

const HEAD =
  '# The leader sets owner, term and fencing token when it applies these objects: here they are absent, 0 and "0".\n';

/** 0: printed; 1: something is wrong with the input, and nothing is printed. Throws when a file cannot be read. */
export function render({ paths, output, clusterName, namespace }: RenderOptions, { out, err }: Streams): number {
  const { workloads, findings } = checkSources(readSources(paths));
  for (const { at, what } of findings) err(`${at}: ${what}\n`);
  if (findings.length > 0) return exitCodes.failed;
  const objects = workloads.flatMap((workload) => {
    const metadata = { namespace, ...workload.metadata, labels: { ...workload.metadata.labels } };
    const setting = { tenant: tenantOf({ metadata }), clusterName, term: 0, live: NOTHING_LIVE };
    return renderOne({ ...workload, metadata }, setting).map(({ object }) => withoutOwner(object));
  });
  if (output === 'json') out(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`);
  else out(objects.map((object, index) => `${index === 0 ? HEAD : '---\n'}${stringifyYaml(object)}`).join(''));
  return exitCodes.done;
}

function withoutOwner<T extends { metadata: object }>(object: T): T {
  const { ownerReferences: _, ...metadata } = object.metadata as Record<string, unknown>;
  return { ...object, metadata };
}
