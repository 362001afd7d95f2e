/** The variables of a container. Pure. */
import type { EnvVar } from '../api/kubernetes.ts';

/** Variable that holds the term of the last activation. */
export const FENCING_TOKEN = 'HIGHLANDER_FENCING_TOKEN';

/** What a pod is told about itself. */
export interface Identity {
  readonly tenant: string;
  readonly clusterName: string;
  readonly fencingToken: string;
}

/** Sorted by name: the API server keeps no other order of a map. */
export function variablesOf(
  users: Readonly<Record<string, string>> = {},
  { tenant, clusterName, fencingToken }: Identity,
): EnvVar[] {
  const all = {
    ...users,
    HIGHLANDER_CLUSTER: clusterName,
    [FENCING_TOKEN]: fencingToken,
    HIGHLANDER_TENANT: tenant,
  };
  return Object.entries(all)
    .map(([name, value]) => ({ name, value }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Kubernetes replaces `$(NAME)` by variables that stand above only: each comes after those that it refers to, and otherwise
 * stays where it is. For variables that refer to each other in a circle no order helps.
 */
export function inOrderOfReferences(variables: readonly EnvVar[]): EnvVar[] {
  const waiting = new Map(variables.map((variable) => [variable.name, variable]));
  if (waiting.size < variables.length) return [...variables]; // one name twice: which of them is meant, only the order says
  const ordered: EnvVar[] = [];
  for (const variable of variables) {
    const path = waiting.delete(variable.name) ? [visitOf(variable)] : [];
    for (let visit = path.at(-1); visit; visit = path.at(-1)) {
      const name = visit.references.shift();
      const next = name === undefined ? undefined : waiting.get(name);
      if (next) {
        waiting.delete(next.name);
        path.push(visitOf(next));
      } else if (name === undefined) {
        ordered.push(visit.variable);
        path.pop();
      }
    }
  }
  return ordered;
}

function visitOf(variable: EnvVar): { readonly variable: EnvVar; readonly references: string[] } {
  const found = (variable.value ?? '').matchAll(/\$\$|\$\(([^)]*)\)/g);
  return { variable, references: [...found].flatMap(([, name]) => name ?? []) };
}
