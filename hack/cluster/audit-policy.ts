/** What the API server writes down for tests. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const auditLog = (clusterFolder: string): string => join(clusterFolder, 'logs', 'audit.log');

export const auditPolicy = (clusterFolder: string): string => join(clusterFolder, 'audit-policy.json');

/** Only writes, and not those by which kubelets and controllers say that they are alive: what is left was meant by somebody. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      namespaces: ['kube-node-lease'],
      resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }],
    },
    { level: 'None', resources: [{ group: '', resources: ['nodes/status'] }] },
    { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
    { level: 'None' },
  ],
};

export function writeAuditPolicy(folder: string): void {
  writeFileSync(auditPolicy(folder), JSON.stringify(AUDIT_POLICY));
}
