/** All kinds that users write. */
import { nearest } from '../lib/edit-distance.ts';
import type { CustomResource } from './crd.ts';
import { cronJobCustomResource } from './cronjob.ts';
import { persistentCustomResource } from './persistent.ts';
import { processCustomResource } from './process.ts';
import { serviceCustomResource } from './service.ts';

/** The kinds, in the order in which their CRDs are written. */
export const customResources: readonly CustomResource[] = [
  processCustomResource,
  serviceCustomResource,
  persistentCustomResource,
  cronJobCustomResource,
];

/** The message about a kind that is none of them. */
export function unsupportedKind(kind: string): string {
  const kinds = customResources.map((each) => each.kind);
  const meant = nearest(kind, kinds);
  return `unsupported kind "${kind}": ${meant ? `did you mean ${meant}?` : `expected ${kinds.join(', ')}`}`;
}
