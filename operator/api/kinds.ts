/** All kinds that users write. */
import type { CustomResource } from './crd.ts';
import { cronJobCustomResource } from './cronjob.ts';
import { persistentCustomResource } from './persistent.ts';
import { processCustomResource } from './process.ts';
import { serviceCustomResource } from './service.ts';

export const customResources: readonly CustomResource[] = [
  processCustomResource,
  serviceCustomResource,
  persistentCustomResource,
  cronJobCustomResource,
];
