/** Which objects that carry a tenant's labels are ours, by who controls them. Pure. */
import { GROUP, labels } from './group.ts';
import type { ObjectMeta, OwnerReference } from './kubernetes.ts';

interface Named {
  readonly metadata: ObjectMeta;
}

const MADE_BY_KUBERNETES: ReadonlySet<string> = new Set(['CronJob', 'Job', 'ReplicaSet', 'StatefulSet']);

/** The owner that controls the object; undefined when none does. */
export function controllerOf(child: Named): OwnerReference | undefined {
  return child.metadata.ownerReferences?.find((reference) => reference.controller);
}

/** A child of a workload, or what Kubernetes made for one. What has no controller was left alone on purpose. */
export function isMadeByUs(object: Named): boolean {
  const owner = controllerOf(object);
  if (owner === undefined || object.metadata.labels?.[labels.kind] === undefined) return false;
  return owner.apiVersion.startsWith(`${GROUP}/`) || MADE_BY_KUBERNETES.has(owner.kind);
}
