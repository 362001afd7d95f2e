/** Claims on volumes, and what of a StatefulSet cannot be changed. Pure. */
import type { ClaimTemplate, StatefulSet } from '../../api/children.ts';
import type { Container } from '../../api/kubernetes.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { TerminalError } from '../../lib/errors.ts';
import { parseQuantity } from '../../lib/quantity.ts';

/** In the order of their names: a list in another order is no change. */
export function claimTemplates({ persistentVolumes = [] }: PersistentSpec): ClaimTemplate[] {
  return persistentVolumes
    .map(({ name, size, storageClassName, accessMode }) => ({
      metadata: { name },
      spec: {
        accessModes: [accessMode],
        ...(storageClassName === undefined ? {} : { storageClassName }),
        resources: { requests: { storage: String(size) } },
      },
    }))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** A workload that is parked has no replicas, but is to find its data again. */
export function retention({ suspend, persistentVolumeClaimRetentionPolicy: policy }: PersistentSpec) {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = policy ?? {};
  return { whenDeleted, whenScaled: suspend ? 'Retain' : whenScaled };
}

/** Of the main container. */
export function volumeMounts({ persistentVolumes = [] }: PersistentSpec): { volumeMounts?: VolumeMount[] } {
  const mounts = persistentVolumes.map(({ name, mountPath }) => ({ name, mountPath }));
  return mounts.length > 0 ? { volumeMounts: mounts } : {};
}

type VolumeMount = NonNullable<Container['volumeMounts']>[number];
type Fixed = Pick<StatefulSet['spec'], 'serviceName' | 'podManagementPolicy' | 'volumeClaimTemplates'>;

/** Throws `TerminalError` ImmutableField that names the field. The API server's own words would name none of ours. */
export function assertChangeable({ metadata, spec }: StatefulSet, wanted: Fixed): void {
  const now = claimsOf(spec.volumeClaimTemplates);
  const then = claimsOf(wanted.volumeClaimTemplates);
  const fields: [string, string | undefined, string | undefined][] = [
    ['persistentVolumes', now, then],
    ['serviceName', spec.serviceName, wanted.serviceName],
    ['podManagementPolicy', spec.podManagementPolicy, wanted.podManagementPolicy],
  ];
  for (const [field, before, after] of fields) {
    if (before === undefined || before === after) continue;
    throw new TerminalError(
      'ImmutableField',
      `spec.${field} of ${metadata.name} cannot be changed from ${before} to ${after ?? 'none'}: change it back, or delete the workload and make it ` +
        'again; its claims are kept then, unless persistentVolumeClaimRetentionPolicy says otherwise',
    );
  }
}

function claimsOf(templates: readonly ClaimTemplate[] = []): string {
  const texts = templates.map(({ metadata: { name }, spec: { accessModes, storageClassName, resources } }) => {
    const size = parseQuantity(resources.requests.storage) ?? resources.requests.storage;
    return `${name} (${[`${size} bytes`, ...accessModes, storageClassName ?? 'default class'].join(', ')})`;
  });
  return texts.toSorted().join(' and ') || 'none';
}
