/** The pod that an edit of a child asks for in place of one that runs, to be tried out first. Pure. */
import type { ClaimTemplate } from '../api/children.ts';
import type { Pod, PodSpec } from '../api/kubernetes.ts';
import type { ObjectMeta } from '../api/kubernetes.ts';
import type { Step } from './child-look.ts';

interface Templated {
  readonly replicas?: number;
  /** Of a StatefulSet. */
  readonly volumeClaimTemplates?: readonly ClaimTemplate[];
  readonly template?: { readonly metadata?: Partial<ObjectMeta>; readonly spec: PodSpec };
}

/** Longest name of a pod that also fits its host name. */
const MAX_NAME = 56;

/** Undefined where nothing is replaced: the child is new, keeps its template, or wants no pods. */
export function successorOf({ action }: Step): Pod | undefined {
  if (action.type !== 'apply' || !action.live || action.reason !== 'SpecChanged') return undefined;
  const { template, volumeClaimTemplates = [] } = specOf(action.object);
  if (!template || specOf(action.live).replicas === 0) return undefined;
  const { name, namespace } = action.object.metadata;
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const metadata = {
    name: `${name.slice(0, MAX_NAME)}-try`,
    ...(namespace !== undefined && { namespace }),
    labels,
    annotations,
  };
  const spec = withClaims(template.spec, { set: name, ordinal: 0, templates: volumeClaimTemplates });
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec };
}

interface Claims {
  readonly set: string;
  readonly ordinal: number;
  readonly templates: readonly ClaimTemplate[];
}

/** As the StatefulSet's controller adds them to the pod of this ordinal. */
export function withClaims(spec: PodSpec, { set, ordinal, templates }: Claims): PodSpec {
  if (templates.length === 0) return spec;
  const claims = templates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: `${name}-${set}-${ordinal}` },
  }));
  const names = new Set(claims.map(({ name }) => name));
  const others = (spec.volumes ?? []).filter(({ name }) => !names.has(name));
  return { ...spec, volumes: [...others, ...claims] };
}

function specOf(object: object): Templated {
  return (object as { readonly spec?: Templated }).spec ?? {};
}
