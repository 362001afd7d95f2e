/** The pod that an edit of a child asks for in place of one that runs, to be tried out first. Pure. */
import type { Pod, PodSpec } from '../api/kubernetes.ts';
import type { ObjectMeta } from '../api/kubernetes.ts';
import type { Step } from './child-look.ts';

interface Templated {
  readonly replicas?: number;
  readonly template?: { readonly metadata?: Partial<ObjectMeta>; readonly spec: PodSpec };
}

/** Longest name of a pod that also fits its host name. */
const MAX_NAME = 56;

/** Undefined where nothing is replaced: the child is new, keeps its template, or wants no pods. */
export function successorOf({ action }: Step): Pod | undefined {
  if (action.type !== 'apply' || !action.live || action.reason !== 'SpecChanged') return undefined;
  const { template } = specOf(action.object);
  if (!template || specOf(action.live).replicas === 0) return undefined;
  const { name, namespace } = action.object.metadata;
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const metadata = {
    name: `${name.slice(0, MAX_NAME)}-try`,
    ...(namespace !== undefined && { namespace }),
    labels,
    annotations,
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
}

function specOf(object: object): Templated {
  return (object as { readonly spec?: Templated }).spec ?? {};
}
