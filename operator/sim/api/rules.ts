/** What an API server does by itself to objects of each type: defaults, generations, what must not change, how long deleting takes. */
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Json, Stored } from './json.ts';
import { asJson, isEqual } from './json.ts';

const DEFAULT_GRACE_SECONDS = 30;

/** As far as anybody here goes by them. */
const DEFAULTS: Readonly<Record<string, Json>> = {
  pods: { restartPolicy: 'Always', terminationGracePeriodSeconds: DEFAULT_GRACE_SECONDS },
  deployments: { replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10 },
  replicasets: { replicas: 1 },
  statefulsets: { replicas: 1 },
  jobs: { suspend: false, parallelism: 1, completions: 1, backoffLimit: 6 },
  cronjobs: { suspend: false, concurrencyPolicy: 'Allow' },
};

/** The object with the defaults of its type. */
export function withDefaults({ plural }: ResourceType, object: Stored): Stored {
  const defaults = DEFAULTS[plural];
  return defaults ? { ...object, spec: { ...defaults, ...object.spec } } : object;
}

const WITHOUT_GENERATION: ReadonlySet<string> = new Set(['services', 'leases', 'events', 'namespaces', 'nodes']);
/** Those whose status is written by a request of its own. */
const WITH_STATUS: ReadonlySet<string> = new Set([
  'pods',
  'deployments',
  'replicasets',
  'statefulsets',
  'jobs',
  'cronjobs',
  'services',
]);

/** Whether the type has a status subresource. */
export function hasStatus(type: ResourceType): boolean {
  return WITH_STATUS.has(type.plural) || isCustom(type);
}

/** Of a group that users bring along. */
function isCustom({ group }: ResourceType): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}

/** The generation after a write; undefined for types without one. */
export function generationOf({ plural }: ResourceType, now: Stored, before: Stored | undefined): number | undefined {
  if (WITHOUT_GENERATION.has(plural)) return undefined;
  const last = before?.metadata.generation ?? 0;
  const isDeletion = before !== undefined && !before.metadata.deletionTimestamp && now.metadata.deletionTimestamp;
  // A note on a Deployment counts as a change of it.
  const notes = plural === 'deployments' && !isEqual(now.metadata.annotations, before?.metadata.annotations);
  return before && isEqual(now.spec, before.spec) && !notes && !isDeletion ? last : last + 1;
}

/** Fields of the spec that may change; all where none is named. */
const CHANGEABLE: Readonly<Record<string, readonly string[]>> = {
  pods: ['activeDeadlineSeconds', 'tolerations', 'nodeName'],
  statefulsets: [
    'replicas',
    'ordinals',
    'template',
    'updateStrategy',
    'revisionHistoryLimit',
    'persistentVolumeClaimRetentionPolicy',
    'minReadySeconds',
  ],
};
/** Fields that must not change. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  deployments: ['selector'],
  replicasets: ['selector'],
  jobs: ['selector', 'template', 'completionMode'],
};

/** Throws 422 as the API server does. */
export function assertChangeable({ plural, kind }: ResourceType, now: Stored, before: Stored): void {
  const [next, last] = [asJson(now.spec), asJson(before.spec)];
  const changed = [...new Set([...Object.keys(next), ...Object.keys(last)])].filter(
    (key) => !isEqual(next[key], last[key]),
  );
  const free = CHANGEABLE[plural];
  const fixed = FIXED[plural] ?? [];
  const wrong = changed.find((key) => (free ? !free.includes(key) : fixed.includes(key)));
  if (wrong !== undefined)
    throw new ApiError(
      422,
      'Invalid',
      `${kind} "${before.metadata.name}" is invalid: spec.${wrong}: field is immutable`,
    );
  if (!before.metadata.deletionTimestamp) return;
  const added = (now.metadata.finalizers ?? []).filter((each) => !before.metadata.finalizers?.includes(each));
  if (added.length > 0)
    throw new ApiError(
      422,
      'Invalid',
      `${kind} "${before.metadata.name}" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted`,
    );
}

/** What goes at once is marked as being deleted before. */
export function isGraceful({ plural }: ResourceType): boolean {
  return plural === 'pods';
}

/** Seconds that deleting leaves for the containers to end; 0: nothing is waited for but finalizers. */
export function graceSeconds({ plural }: ResourceType, object: Stored, asked: number | undefined): number {
  if (plural !== 'pods') return 0;
  const { nodeName, terminationGracePeriodSeconds } = asJson(object.spec);
  const phase = asJson(object.status)['phase'];
  if (!nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  return asked ?? Number(terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
}
