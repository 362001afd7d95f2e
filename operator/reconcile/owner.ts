/** Whose a custom resource is by the rules, as every tenant works it out from the same facts. Pure. */
import { DEFAULT_TENANT } from '../api/group.ts';

/** A tenant that has controllers in this cluster. */
export interface Tenant {
  readonly name: string;
  /** Namespaces whose workloads are its own unless a label says otherwise. */
  readonly claims: ReadonlySet<string>;
  /** The only namespaces that these controllers look at; undefined: all. */
  readonly watches: ReadonlySet<string> | undefined;
  /** One of them was heard of lately. */
  readonly lives: boolean;
}

/** What a custom resource says of its owner. */
export interface Facts {
  /** Value of the tenant's label; '' says nothing. */
  readonly label: string | undefined;
  /** Tenant that has it, as its status says. */
  readonly holder: string | undefined;
  readonly namespace: string;
}

/** `several`: they all claim the namespace. `nothing`: there are these tenants, and nothing tells which of them. */
export type Owner =
  | { readonly by: 'label' | 'holder' | 'namespace' | 'default' | 'alone'; readonly tenant: string }
  | { readonly by: 'several' | 'nothing'; readonly tenants: readonly string[] };

/** Whose it is, and by which rule. `tenants`: those that have controllers in this cluster. */
export function ownerOf({ label, holder, namespace }: Facts, tenants: readonly Tenant[]): Owner {
  if (label) return { by: 'label', tenant: label };
  if (holder) return { by: 'holder', tenant: holder };
  const watching = tenants.filter((each) => watchesNamespace(each, namespace));
  const [claimant, ...rivals] = watching.filter(({ claims }) => claims.has(namespace));
  if (claimant && rivals.length === 0) return { by: 'namespace', tenant: claimant.name };
  if (claimant) return { by: 'several', tenants: namesOf([claimant, ...rivals]) };
  if (watching.some(({ name }) => name === DEFAULT_TENANT)) return { by: 'default', tenant: DEFAULT_TENANT };
  const [only, ...others] = watching;
  if (only && others.length === 0) return { by: 'alone', tenant: only.name };
  return { by: 'nothing', tenants: namesOf(watching) };
}

/** Whether the tenant's controllers look at the namespace. */
export function watchesNamespace({ watches }: Pick<Tenant, 'watches'>, namespace: string): boolean {
  return watches === undefined || watches.has(namespace);
}

function namesOf(tenants: readonly Tenant[]): readonly string[] {
  return tenants.map(({ name }) => name).toSorted();
}
