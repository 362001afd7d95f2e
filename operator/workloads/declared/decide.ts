/** What to do about one custom resource that the configuration file declares, or declared. Pure. */
import type { DeclaredWorkload } from '../../api/declared.ts';
import { annotations, DECLARED_IN_CONFIG, labels } from '../../api/group.ts';
import { contains } from '../../reconcile/contains.ts';
import { stableHash, tenantOf } from '../../reconcile/metadata.ts';
import type { Action, Child } from '../../reconcile/plan.ts';

/** A custom resource that may have been made from the file. */
export type DeclaredChild = Child & { spec?: unknown };

/** What the file says of a custom resource, and what there is of it. */
export interface Situation {
  readonly declaration: DeclaredWorkload | undefined;
  readonly live: DeclaredChild | undefined;
  readonly tenant: string;
  readonly term: number;
}

/** What to do about it. */
export type Decision =
  | { readonly do: 'nothing' }
  | { readonly do: 'act'; readonly action: Action<DeclaredChild> }
  /** For people: why it is not done, and what would help. */
  | { readonly do: 'complain'; readonly why: string };

const NOTHING: Decision = { do: 'nothing' };

/** Decides for one custom resource. */
export function decide(situation: Situation): Decision {
  const { declaration, live } = situation;
  if (live?.metadata.deletionTimestamp !== undefined) return NOTHING;
  if (!declaration) return live ? decideOnLeftOver(live, situation) : NOTHING;
  return live ? decideOnLive(live, declaration, situation) : decideOnAbsence(declaration, situation);
}

function decideOnLeftOver(live: DeclaredChild, { tenant }: Situation): Decision {
  if (!isDeclared(live) || tenantOf(live) !== tenant) return NOTHING;
  return { do: 'act', action: { type: 'stop', live, reason: 'NoLongerDeclared' } };
}

function decideOnAbsence(declaration: DeclaredWorkload, { term }: Situation): Decision {
  const { spec } = declaration;
  return spec ? apply(declaration, spec, { term }) : { do: 'complain', why: absence(declaration) };
}

function decideOnLive(live: DeclaredChild, declaration: DeclaredWorkload, { tenant, term }: Situation): Decision {
  const { spec, isFallback } = declaration;
  if (!spec || isFallback) return NOTHING;
  if (!isDeclared(live)) return { do: 'complain', why: conflict(declaration) };
  if (tenantOf(live) !== tenant)
    return {
      do: 'complain',
      why: `${nameOf(declaration)} is managed by tenant ${tenantOf(live)}: rename one of the two`,
    };
  const applied = live.metadata.annotations?.[annotations.appliedHash];
  return applied === stableHash(spec) && contains(live.spec, spec) ? NOTHING : apply(declaration, spec, { term, live });
}

/** Whether the custom resource says that it comes from a configuration file. */
export function isDeclared({ metadata }: Child): boolean {
  return metadata.labels?.[labels.declaredIn] === DECLARED_IN_CONFIG;
}

function apply(
  { apiVersion, kind, metadata }: DeclaredWorkload,
  spec: Readonly<Record<string, unknown>>,
  { term, live }: { readonly term: number; readonly live?: DeclaredChild },
): Decision {
  const notes = { [annotations.term]: String(term), [annotations.appliedHash]: stableHash(spec) };
  const object = { apiVersion, kind, metadata: { ...metadata, annotations: notes }, spec };
  return {
    do: 'act',
    action: { type: 'apply', object, reason: live ? 'Changed' : 'Absent', ...(live && { live }) },
  };
}

function nameOf({ kind, metadata: { namespace, name } }: DeclaredWorkload): string {
  return `${kind} ${namespace}/${name}`;
}

function conflict(declaration: DeclaredWorkload): string {
  return (
    `${nameOf(declaration)} exists but was not created from the configuration file: delete it, remove the entry, or label it ` +
    `${labels.declaredIn}=${DECLARED_IN_CONFIG} to let the file manage it`
  );
}

function absence(declaration: DeclaredWorkload): string {
  return `${nameOf(declaration)} (workloadCRDRef) does not exist: create it, or define the workload in the configuration file`;
}
