/** How a cell looks as a Lease object. Pure: names, labels and what people see; no client. */
import { createHash } from 'node:crypto';
import { GROUP } from '../api/group.ts';
import { cellKeys } from './cell-store.ts';

/** A `Lease` of `coordination.k8s.io/v1`, which holds one cell. */
export interface LeaseObject {
  apiVersion?: string;
  kind?: string;
  metadata: LeaseMeta;
  spec?: Record<string, unknown>;
}

/** Metadata of such a Lease. */
export interface LeaseMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** The cell's key as it was given; the object's name is made from it and may be shortened. */
const KEY = `${GROUP}/cell-key`;
const VALUE = `${GROUP}/cell-value`;
const CELL = `${GROUP}/cell`;
/** Keys are listed by prefixes that end in a colon, of which a key has two at most that matter. */
const PREFIX_DEPTH = 2;

/**
 * The name of the cell's object: `highlander-leader-lock-<tenant>` for a tenant that is a short DNS label; every other
 * key gets a hash, so that two keys never share a name however they are written.
 */
export function leaseName(key: string): string {
  const tenant = key.slice(cellKeys.lease('').length);
  if (key === cellKeys.lease(tenant) && /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(tenant))
    return key.replace(':', '-');
  const slug = key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 48)
    .replace(/-$/, '');
  return `${slug || 'cell'}-${hash(key)}`;
}

/** Selects every cell that may start with `prefix`, and as few others as labels can tell. */
export function selectorFor(prefix: string): string {
  const heads = headsOf(prefix);
  return heads.length === 0 ? `${CELL}=true` : `${prefixLabel(heads.length)}=${hash(heads.at(-1) ?? '')}`;
}

/** The object of a cell. `before`: the object as last seen; what others added to it stays. */
export function leaseOf(key: string, value: string, now: Date, before: LeaseMeta): LeaseObject {
  const labels: Record<string, string> = { ...before.labels, [CELL]: 'true' };
  headsOf(key).forEach((head, index) => (labels[prefixLabel(index + 1)] = hash(head)));
  const annotations = { ...before.annotations, [KEY]: key, [VALUE]: value };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...before, labels, annotations },
    spec: specForPeople(value, now),
  };
}

/** The key of the cell that the Lease holds; undefined for a Lease of somebody else. */
export function keyOf(lease: LeaseObject): string | undefined {
  return lease.metadata.annotations?.[KEY];
}

/** '' when somebody else made the object. */
export function valueOf(lease: LeaseObject): string {
  return lease.metadata.annotations?.[VALUE] ?? '';
}

/** The uid keeps an object that was made anew apart: an API server may count its versions from the start again. */
export function versionOf(lease: LeaseObject): string {
  return `${lease.metadata.uid}/${lease.metadata.resourceVersion}`;
}

/**
 * What `kubectl get lease` shows. Nobody decides by it: `renewTime` is the writer's wall clock, in the only form that
 * the API takes (six digits).
 */
function specForPeople(value: string, now: Date): Record<string, unknown> {
  const record = parsed(value);
  const { holder, term, ttlMs } = record;
  return {
    renewTime: now.toISOString().replace('Z', '000Z'),
    ...(typeof holder === 'string' && holder !== '' ? { holderIdentity: holder } : {}),
    ...(typeof term === 'number' && Number.isInteger(term) && term >= 0 && term < 2 ** 31
      ? { leaseTransitions: term }
      : {}),
    ...(typeof ttlMs === 'number' && ttlMs > 0 ? { leaseDurationSeconds: Math.ceil(ttlMs / 1000) } : {}),
  };
}

function parsed(value: string): Readonly<Record<string, unknown>> {
  try {
    const record: unknown = JSON.parse(value);
    return typeof record === 'object' && record !== null ? { ...record } : {};
  } catch {
    return {};
  }
}

/** `a:`, `a:b:` of `a:b:c`. */
function headsOf(key: string): readonly string[] {
  const parts = key.split(':').slice(0, -1).slice(0, PREFIX_DEPTH);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join(':')}:`);
}

function prefixLabel(depth: number): string {
  return `${GROUP}/cell-prefix-${depth}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
