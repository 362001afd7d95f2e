/** Labels and controller by which a test's object is a child of a workload. */
import { API_VERSION, labels } from '../../api/group.ts';

export const owned = {
  labels: { [labels.tenant]: 'default', [labels.kind]: 'WorkloadProcess', [labels.name]: 'app' },
  ownerReferences: [{ apiVersion: API_VERSION, kind: 'WorkloadProcess', name: 'app', uid: 'w', controller: true }],
};
