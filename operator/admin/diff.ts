/** What applying workloads would change in a cluster, from dry runs of the API server, as the controller would write. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildType } from '../api/children.ts';
import { childTypes } from '../api/children.ts';
import { annotations, fieldManagers, GROUP, VERSION } from '../api/group.ts';
import { customResources, unsupportedKind } from '../api/kinds.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../cluster/http-client.ts';
import type { Config } from '../config/config.ts';
import type { AnyChild, Live } from '../reconcile/child.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { numberAnnotation, tenantOf, workloadOf } from '../reconcile/metadata.ts';
import { NamespaceDefaults } from '../reconcile/namespace-defaults.ts';
import type { Child } from '../reconcile/plan.ts';
import type { ServiceHolder } from '../reconcile/service-names.ts';
import { holderOf } from '../reconcile/service-names.ts';
import type { Rendered } from './render.ts';
import { NOTHING_LIVE, render } from './render.ts';

/** A custom resource as somebody wrote it. */
export interface Wanted {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: AnyChild['metadata'];
  readonly spec: unknown;
}

/** A unified diff, empty when nothing would change. Throws what the API server says against the objects. */
export async function diff(
  client: HttpClusterClient,
  workloads: readonly Wanted[],
  { config, print }: { readonly config: Config; readonly print: (object: unknown) => string },
): Promise<string> {
  const pairs: Pair[] = [];
  for (const workload of workloads) pairs.push(...(await pairsOf(client, workload, config)));
  return unified(pairs, print);
}

interface Pair {
  readonly name: string;
  readonly before: object | undefined;
  readonly after: object | undefined;
}

async function pairsOf(client: HttpClusterClient, workload: Wanted, config: Config): Promise<readonly Pair[]> {
  const resource = customResources.find(({ kind }) => kind === workload.kind);
  if (!resource) throw new Error(unsupportedKind(workload.kind));
  const type: ChildType = { ...resource, group: GROUP, version: VERSION, namespaced: true };
  const metadata = { ...workload.metadata, namespace: workload.metadata.namespace ?? config.namespace };
  const wanted = { ...workload, metadata };
  const own = await dryRun(client, { type, object: wanted });
  const owner = { ...wanted, metadata: (own.before ?? own.after).metadata };
  const children = await childrenOf(client, owner, config);
  const pairs = [own, ...(await Promise.all(children.map((each) => dryRun(client, each))))];
  return pairs.map(({ before, after }) => ({
    name: nameOf(after),
    before: before && plain(before),
    after: plain(after),
  }));
}

/** As the leader would make them next to the children that there are. */
async function childrenOf(
  client: HttpClusterClient,
  owner: Wanted,
  { cluster, podDefaults }: Config,
): Promise<readonly Rendered[]> {
  const { namespace = '' } = owner.metadata;
  const defaults = new NamespaceDefaults({ client, clock: systemClock, logger: silentLogger, podDefaults });
  await defaults.load(namespace);
  const place = { clusterName: cluster.name, podDefaults: defaults.of(namespace) };
  const setting = { tenant: tenantOf(owner), ...place, term: 0, live: NOTHING_LIVE };
  const found = new Map<string, AnyChild>();
  const others = new Map<string, ServiceHolder>();
  for (const { type, object } of render(owner, setting)) {
    const live = await client.get<AnyChild>(type, object.metadata);
    const { name } = object.metadata;
    if (live && type === childTypes.services && workloadOf(live, owner.kind)?.name !== owner.metadata.name)
      others.set(name, holderOf(live));
    else if (live) found.set(`${type.plural}/${name}`, live);
  }
  const terms = [...found.values()].map((each) => numberAnnotation(each, annotations.term) ?? 0);
  const live: Live = {
    get: <T extends Child>(type: ChildType, name: string) => found.get(`${type.plural}/${name}`) as T | undefined,
    list: () => [],
  };
  const term = Math.max(0, ...terms);
  return render(owner, { ...setting, term, live, holderOf: (name) => others.get(name) ?? 'nobody' });
}

interface Tried {
  readonly before: AnyChild | undefined;
  readonly after: AnyChild;
}

async function dryRun(client: HttpClusterClient, { type, object }: Rendered): Promise<Tried> {
  const before = await client.get<AnyChild>(type, object.metadata);
  const options = { fieldManager: fieldManagers.children, dryRun: true, strict: true };
  if (type !== childTypes.pods)
    return { before, after: await client.apply<AnyChild>(type, object, { ...options, force: true }) };
  const hash = (pod: AnyChild | undefined) => pod?.metadata.annotations?.[annotations.templateHash];
  // A pod is replaced, not changed: what its successor would be.
  if (before && hash(before) === hash(object)) return { before, after: before };
  const successor = { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-next` } };
  const after = await client.create<AnyChild>(type, successor, options).catch((error: unknown) => {
    if (hasCode(error, 404))
      throw new Error(`namespace ${object.metadata.namespace ?? ''} does not exist`, { cause: error });
    throw error;
  });
  return { before, after: { ...after, metadata: { ...after.metadata, name: object.metadata.name } } };
}

const STAMPS: ReadonlySet<string> = new Set([annotations.term, annotations.generation, annotations.activationTerm]);
const SERVER_SIDE = [
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'creationTimestamp',
  'ownerReferences',
  'selfLink',
];

/** Without what the server or each leader sets anew. */
function plain({ status: _, ...object }: AnyChild & { status?: unknown }): object {
  const { annotations: notes = {}, ...metadata } = object.metadata;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_SIDE.includes(key));
  const lasting = Object.entries(notes).filter(([key]) => !STAMPS.has(key));
  return { ...object, metadata: { ...Object.fromEntries(kept), annotations: Object.fromEntries(lasting) } };
}

function nameOf({ kind = '', metadata: { namespace = '', name } }: AnyChild): string {
  return `${kind}.${namespace}.${name}`;
}

/** By the program `diff`, as kubectl does it. */
function unified(pairs: readonly Pair[], print: (object: unknown) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'highlander-diff-'));
  try {
    for (const side of ['live', 'applied']) mkdirSync(join(folder, side));
    for (const { name, before, after } of pairs) {
      if (before) writeFileSync(join(folder, 'live', name), print(before));
      if (after) writeFileSync(join(folder, 'applied', name), print(after));
    }
    const { error, stdout } = spawnSync('diff', ['-u', '-N', '-r', 'live', 'applied'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (error)
      throw new Error('cannot run the program "diff", which shows the differences: install it', { cause: error });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
