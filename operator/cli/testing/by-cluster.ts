/** What a real API server says of workloads and of everything that `render` makes of them, as strict dry runs. */
import { assertGrace } from '../../api/grace.ts';
import { NOTHING_LIVE, render } from '../../admin/render.ts';
import type { KubeObject, ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import { parseYaml } from '../../lib/yaml.ts';
import { contains } from '../../reconcile/contains.ts';
import { tenantOf } from '../../reconcile/metadata.ts';
import { CrdServer } from '../../reconcile/testing/crd-server.ts';

/** Unless configured otherwise. */
const MAX_GRACE_MS = 3_600_000;
const SETTING = { tenant: 'default', clusterName: 'east', term: 1, live: NOTHING_LIVE };

export interface Verdict {
  /** Undefined: accepted. */
  readonly refusal?: string | undefined;
  /** What is stored otherwise than `render` prints it. */
  readonly drift?: string | undefined;
}

/** Of everything that applying it would make: the objects of this product in it, and what `render` makes of them. */
export async function byCluster(server: CrdServer, text: string): Promise<Verdict> {
  for (const { value, errors } of parseYaml(text)) {
    if (errors.length > 0) return { refusal: errors[0]?.what };
    const object = value as KubeObject & { spec: unknown };
    const type = CrdServer.types.find(({ kind }) => kind === object.kind);
    if (!type) continue;
    const verdict = await ofObject(server, type, object);
    if (verdict.refusal ?? verdict.drift) return verdict;
  }
  return {};
}

async function ofObject(
  server: CrdServer,
  type: ResourceType,
  object: KubeObject & { spec?: unknown },
): Promise<Verdict> {
  const placed = { ...object, metadata: { ...object.metadata, namespace: CrdServer.namespace } };
  const stored = await dryRun(server, type, placed);
  if (typeof stored === 'string') return { refusal: stored };
  if (!contains(stored, withoutNull({ spec: object.spec }))) return { drift: `${type.kind} is stored otherwise` };
  return childrenOf(server, { ...stored, kind: type.kind });
}

async function childrenOf(server: CrdServer, stored: KubeObject & { spec?: unknown; kind: string }): Promise<Verdict> {
  const metadata = { ...stored.metadata, labels: { ...stored.metadata.labels } };
  let children;
  try {
    children = render(
      { kind: stored.kind, metadata, spec: stored.spec },
      { ...SETTING, tenant: tenantOf({ metadata }) },
    );
    for (const { object } of children) assertGrace(object, MAX_GRACE_MS);
  } catch (error) {
    return { refusal: `render: ${(error as Error).message}` };
  }
  for (const { type, object } of children) {
    const { ownerReferences: _, ...rest } = object.metadata;
    const child = await dryRun(server, type, { ...object, metadata: rest });
    if (typeof child === 'string') return { refusal: `${type.kind}: ${child}` };
    if (!contains(child, { spec: object.spec, labels: undefined }))
      return { drift: `${type.kind} is stored otherwise` };
  }
  return {};
}

/** What would be stored, or why not. */
async function dryRun(
  server: CrdServer,
  type: ResourceType,
  object: KubeObject,
): Promise<(KubeObject & { spec?: unknown }) | string> {
  try {
    return await server.client.create(type, object, { dryRun: true, strict: true, fieldManager: 'highlander' });
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}

/** The API server takes a null out where a field has a default. */
function withoutNull(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => inner ?? undefined));
}
