/** Workloads of two kinds may want the Service of their common name; who of them gets it. Pure. */
import { PERSISTENT_KIND } from './persistent.ts';
import { asksForService, SERVICE_KIND } from './service.ts';
import type { ObjectMeta } from './kubernetes.ts';

/** Raw objects as the API server has them. */
export interface Contender {
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/**
 * Whether `other`, of the same name and namespace, is to have the Service NAME: it wants one and was made first; in the
 * same second the WorkloadService was. What has a Service already is told by that Service.
 */
export function goesFirst(other: Contender, { kind, metadata }: Contender): boolean {
  if (other.kind === kind || other.metadata.deletionTimestamp !== undefined || !wantsService(other)) return false;
  if (fieldOf(other.status, 'serviceName') !== undefined) return false;
  const [theirs = '', ours = ''] = [other.metadata.creationTimestamp, metadata.creationTimestamp];
  return theirs === ours ? other.kind === SERVICE_KIND : theirs < ours;
}

function wantsService({ kind, metadata, spec }: Contender): boolean {
  if (kind === SERVICE_KIND) return asksForService(spec);
  return kind === PERSISTENT_KIND && (fieldOf(spec, 'serviceName') ?? metadata.name) === metadata.name;
}

function fieldOf(value: unknown, field: string): unknown {
  return (value as Readonly<Record<string, unknown>> | null | undefined)?.[field];
}
