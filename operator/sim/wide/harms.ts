/** What is done to a cluster besides crashes and networks: by people who may edit it. */
import { childTypes } from '../../api/children.ts';
import { annotations, labels } from '../../api/group.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import { permitName } from '../../api/admission.ts';
import { cronJobResource } from '../../api/cronjob.ts';
import { TENANT } from '../actor.ts';
import { KINDS } from './objects.ts';
import { OWN_NAMESPACE } from './permit.ts';
import type { SimApiServer } from '../api/server.ts';
import type { Stored } from '../api/json.ts';
import type { Chance } from '../chance.ts';

/** The sender of what people do with kubectl. */
export const USER = { by: 'user' } as const;
const TYPES: readonly ResourceType[] = [
  childTypes.pods,
  childTypes.deployments,
  childTypes.statefulSets,
  childTypes.cronJobs,
  childTypes.jobs,
];
/** Of terms that nobody can have led in, or that are not terms at all. */
const SPOILT = ['abc', '', '-1', '1e300', '9007199254740991', '999999999999999', null] as const;

/** Somebody who may edit objects writes nonsense where the stamps are. */
export function spoilNotes(server: SimApiServer, chance: Chance): Stored | undefined {
  const victims = TYPES.flatMap((type) => server.all(type).map((object) => [type, object] as const));
  if (victims.length === 0) return undefined;
  const [type, object] = chance.pick(victims);
  const notes = chance.hits(0.2) ? null : { [annotations.term]: chance.pick(SPOILT) };
  try {
    return server.patch(type, object.metadata, { metadata: { annotations: notes } }, USER);
  } catch (error) {
    if (error instanceof ApiError) return undefined; // the policy on terms
    throw error;
  }
}

const DELETED: readonly ResourceType[] = [
  childTypes.pods,
  childTypes.deployments,
  childTypes.statefulSets,
  childTypes.services,
];

const REMOVED: readonly ResourceType[] = [
  ...Object.values(KINDS).map(({ type }) => type),
  cronJobResource,
  childTypes.cronJobs,
  childTypes.jobs,
];

/** Somebody deletes what others go by; says which, if there is one. */
export function removeOne(server: SimApiServer, chance: Chance): string | undefined {
  return chance.hits(0.8) ? deleteOne(server, chance, REMOVED) : removePermit(server);
}

/** Somebody deletes the permit of the cluster; says which object that was, if it was there. */
export function removePermit(server: SimApiServer): string | undefined {
  const at = { name: permitName(TENANT), namespace: OWN_NAMESPACE };
  return server.delete(core.leases, at, {}, USER) ? `Lease ${at.name}` : undefined;
}

/** Somebody deletes an object; says which, if there is one. */
export function deleteOne(server: SimApiServer, chance: Chance, types = DELETED): string | undefined {
  const victims = types.flatMap((type) =>
    server
      .all(type)
      .filter(isOurs)
      .map((object) => ({ type, object })),
  );
  if (victims.length === 0) return undefined;
  const { type, object } = chance.pick(victims);
  server.delete(type, object.metadata, {}, USER);
  return `${type.kind} ${object.metadata.name}`;
}

/** An object that only looks like one of ours: nobody controls it. */
export function bystander(type: ResourceType, tenant: string, like: { readonly kind: string; readonly name: string }) {
  const container = { name: 'main', image: 'other:1' };
  const own = { [labels.tenant]: tenant, [labels.kind]: like.kind, [labels.name]: like.name, bystander: 'yes' };
  const template = { metadata: { labels: { app: 'bystander' } }, spec: { containers: [container] } };
  const spec =
    type.plural === 'pods'
      ? { containers: [container] }
      : { replicas: 0, selector: { matchLabels: { app: 'bystander' } }, template };
  return { metadata: { name: 'bystander', namespace: 'default', labels: own }, spec };
}

/** What a stranger may write where notes of ours are. */
const EDITS: Readonly<Record<string, readonly (string | null)[]>> = {
  [annotations.generation]: ['0', '999', 'abc', null],
  [annotations.templateHash]: ['', 'deadbeef', null],
  [annotations.appliedHash]: ['', 'deadbeef', null],
  [annotations.activationTerm]: ['1', '999999999999999', 'abc', null],
  [annotations.lastClaimed]: ['0', '999999999999999', 'abc', null],
  [annotations.lastRun]: ['0', '999999999999999', 'abc', null],
};

/** Somebody edits a note on one of our objects that is there; says which. */
export function editOne(server: SimApiServer, chance: Chance): string | undefined {
  const victims = TYPES.flatMap((type) =>
    server
      .all(type)
      .filter(isOurs)
      .flatMap((object) => Object.keys(object.metadata.annotations ?? {}).map((note) => ({ type, object, note })))
      .filter(({ note }) => note in EDITS),
  );
  if (victims.length === 0) return undefined;
  const { type, object, note } = chance.pick(victims);
  const value = chance.pick(EDITS[note] ?? []);
  server.patch(type, object.metadata, { metadata: { annotations: { [note]: value } } }, USER);
  return `${note} of ${type.kind} ${object.metadata.name} to ${value}`;
}

function isOurs({ metadata }: Stored): boolean {
  return metadata.labels?.['bystander'] === undefined;
}
