/** Claims on volumes, and what of a StatefulSet cannot be changed. Pure. */
import type { ClaimTemplate, StatefulSet } from '../../api/children.ts';
import type { Container } from '../../api/kubernetes.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { TerminalError } from '../../lib/errors.ts';
import { compareQuantities } from '../../lib/quantity.ts';
import { firstDifference } from '../../reconcile/contains.ts';

/** In the order of their names: a list in another order is no change. */
export function claimTemplates({ persistentVolumes = [] }: PersistentSpec): ClaimTemplate[] {
  return persistentVolumes
    .map(({ name, size, storageClassName, accessMode, labels, volumeMode }) => ({
      metadata: { name, ...(labels && { labels }) },
      spec: {
        accessModes: [accessMode],
        ...(storageClassName === undefined ? {} : { storageClassName }),
        ...(volumeMode === undefined ? {} : { volumeMode }),
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
export function volumeMounts({
  persistentVolumes = [],
}: PersistentSpec): Pick<Container, 'volumeMounts' | 'volumeDevices'> {
  const isBlock = ({ volumeMode }: { readonly volumeMode?: string | undefined }) => volumeMode === 'Block';
  const mounts = persistentVolumes.filter((each) => !isBlock(each)).map(({ name, mountPath }) => ({ name, mountPath }));
  const devices = persistentVolumes.filter(isBlock).map(({ name, mountPath }) => ({ name, devicePath: mountPath }));
  return {
    ...(mounts.length > 0 && { volumeMounts: mounts }),
    ...(devices.length > 0 && { volumeDevices: devices }),
  };
}

type Fixed = Pick<StatefulSet['spec'], 'serviceName' | 'podManagementPolicy' | 'volumeClaimTemplates'>;

/**
 * With the sizes that the StatefulSet has, which it keeps: its claims are expanded one by one. Throws `TerminalError`
 * ClaimCannotShrink for a size below them.
 */
export function withSizesOf(live: StatefulSet | undefined, wanted: readonly ClaimTemplate[]): readonly ClaimTemplate[] {
  const before = byName(live?.spec.volumeClaimTemplates);
  return wanted.map((template) => {
    const { name } = template.metadata;
    const [from, to] = [before.get(name), template].map((each) => each && sizeOf(each));
    const growth = compareQuantities(to ?? '', from ?? '') ?? 0;
    if (growth === 0) return template;
    if (growth < 0) throw cannotShrink(name, from, to);
    const { requests } = template.spec.resources;
    const resources = { ...template.spec.resources, requests: { ...requests, storage: from ?? '' } };
    return { ...template, spec: { ...template.spec, resources } };
  });
}

/** The size that the template asks for, a quantity; '' when it asks for none. */
export function sizeOf({ spec }: ClaimTemplate): string {
  return String(spec.resources?.requests?.storage ?? '');
}

/** The templates by name. */
export function byName(templates: readonly ClaimTemplate[] = []): ReadonlyMap<string, ClaimTemplate> {
  return new Map(templates.map((template) => [template.metadata.name, template]));
}

function cannotShrink(name: string, from: string | undefined, to: string | undefined): TerminalError {
  return new TerminalError(
    'ClaimCannotShrink',
    `Volume ${name} cannot shrink from ${from} to ${to} (nothing was changed): set at least ${from}, or move the data to ` +
      'a volume with another name or to a new workload',
  );
}

/** Throws `TerminalError` ImmutableField that names the field. The API server's own words would name none of ours. */
export function assertChangeable({ metadata, spec }: StatefulSet, wanted: Fixed, asked: PersistentSpec): void {
  const change =
    claimChange(spec.volumeClaimTemplates, wanted.volumeClaimTemplates, asked) ??
    changeOf('serviceName', spec.serviceName, wanted.serviceName) ??
    changeOf('podManagementPolicy', spec.podManagementPolicy, wanted.podManagementPolicy);
  if (change === undefined) return;
  throw new TerminalError(
    'ImmutableField',
    `${change} of ${metadata.name} (nothing was changed): change it back, or delete and recreate the workload; its claims are ` +
      'kept, unless persistentVolumeClaimRetentionPolicy deletes them',
  );
}

function changeOf(field: string, before: unknown, after: unknown): string | undefined {
  if (before === undefined || before === after) return undefined;
  return `spec.${field} cannot be changed from ${shown(before)} to ${shown(after)}`;
}

function claimChange(
  before: readonly ClaimTemplate[] | undefined,
  after: readonly ClaimTemplate[] | undefined,
  asked: PersistentSpec,
): string | undefined {
  const [live, wanted] = [byName(before), byName(after)];
  for (const name of new Set([...live.keys(), ...wanted.keys()])) {
    const [now, then] = [live.get(name), wanted.get(name)];
    if (!now || !then) {
      const list = isListed(name, asked) ? 'persistentVolumes' : 'volumeClaimTemplates';
      const names = (templates: ReadonlyMap<string, unknown>) => [...templates.keys()].join(', ') || 'none';
      return `spec.${list} cannot be changed from ${names(live)} to ${names(wanted)}`;
    }
    const field = differenceOf(now, then);
    if (field) return changeOf(pathIn(name, field.path, asked), field.live ?? 'none', field.wanted);
  }
  return undefined;
}

/** What is left out counts where leaving it out means something else. */
function differenceOf({ metadata, spec }: ClaimTemplate, wanted: ClaimTemplate) {
  const { accessModes, storageClassName } = wanted.spec;
  if (String(spec.accessModes) !== String(accessModes))
    return { path: ['spec', 'accessModes'], live: spec.accessModes, wanted: accessModes };
  if (spec.storageClassName !== storageClassName)
    return { path: ['spec', 'storageClassName'], live: spec.storageClassName, wanted: storageClassName };
  return firstDifference({ metadata, spec }, { metadata: wanted.metadata, spec: wanted.spec });
}

function isListed(name: string, { persistentVolumes = [], volumeClaimTemplates = [] }: PersistentSpec): boolean {
  if (persistentVolumes.some((volume) => volume.name === name)) return true;
  return !volumeClaimTemplates.some(({ metadata }) => metadata.name === name);
}

/** By what they become in a claim. */
const OWN_FIELDS = {
  'spec.accessModes': 'accessMode',
  'spec.storageClassName': 'storageClassName',
  'spec.volumeMode': 'volumeMode',
  'metadata.labels': 'labels',
} as const;

function pathIn(name: string, path: readonly string[], { persistentVolumes = [] }: PersistentSpec): string {
  const volume = persistentVolumes.find((each) => each.name === name);
  const own = Object.entries(OWN_FIELDS).find(([field]) => path.slice(0, 2).join('.') === field)?.[1];
  const isOwn = own === 'accessMode' || own === 'storageClassName' || (own && volume?.[own] !== undefined);
  return volume && own && isOwn
    ? [`persistentVolumes[${name}]`, own, ...path.slice(2)].join('.')
    : `volumeClaimTemplates[${name}].${path.join('.')}`;
}

function shown(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'none';
  if (Array.isArray(value) && value.length === 1) return shown(value[0]);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
