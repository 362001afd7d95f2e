/** Whether a quota that has no room for two pods has room for the second once the first is gone. Pure. */
import type { Pod } from '../api/kubernetes.ts';
import { parseQuantity } from '../lib/quantity.ts';

type Amounts = Readonly<Record<string, string>>;

/** As the API server says it: `exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1`. */
const EXCEEDED = /exceeded quota: [^,]*, requested: ([^ ]*), used: ([^ ]*), limited: ([^ ]*)/;

/** Whether an answer of the API server is that of a quota. */
export function isQuota(message: string): boolean {
  return message.includes('exceeded quota');
}

/**
 * Undefined amounts count as none. True also where the message cannot be read: then the quota is asked again when the pod
 * has ended.
 */
export function fitsWithout(message: string, running: Pod | undefined): boolean {
  const [, requested = '', used = '', limited = ''] = EXCEEDED.exec(message.slice(0, 2000)) ?? [];
  const [before, limits] = [amounts(used), amounts(limited)];
  return [...amounts(requested)].every(([name, wanted]) => {
    const limit = limits.get(name);
    const freed = running ? usedBy(running, name) : 0;
    return limit === undefined || freed === undefined || (before.get(name) ?? 0) - freed + wanted <= limit * (1 + 1e-9);
  });
}

function amounts(list: string): ReadonlyMap<string, number> {
  const pairs = list.split(',').map((pair): [string, number | undefined] => {
    const at = pair.lastIndexOf('=');
    return [pair.slice(0, at), parseQuantity(pair.slice(at + 1))];
  });
  return new Map(pairs.flatMap(([name, amount]) => (amount === undefined ? [] : [[name, amount] as const])));
}

/** Undefined: what of that a pod uses is not known here. */
function usedBy({ spec }: Pod, resource: string): number | undefined {
  if (resource === 'pods' || resource === 'count/pods') return 1;
  const [, kind = 'requests', name = ''] =
    /^(?:(requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.exec(resource) ?? [];
  if (name === '') return undefined;
  const given = spec.containers.map(({ resources }): Amounts | undefined =>
    kind === 'limits' ? resources?.limits : resources?.requests,
  );
  return given.reduce((sum, each) => sum + (parseQuantity(each?.[name] ?? '0') ?? 0), 0);
}
