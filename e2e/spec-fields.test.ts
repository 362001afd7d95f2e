/** Every field of the kinds that are made of children, on a real API server: it keeps what is set, so nothing is written twice. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Controller } from '../hack/lab/controller.ts';
import { waitFor } from './support/cluster/index.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;
let controller: Controller;

beforeAll(async () => {
  stage = await Stage.open();
  controller = await stage.startController('fields-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', 'workloadservices,workloadpersistents,workloadcronjobs', '--all', '--timeout=60s');
  await stage?.close();
}, 120_000);

/** Amounts in forms that the API server rewrites, and values that it leaves out of its answers. */
const COMMON = `
  image: busybox:latest
  imagePullPolicy: IfNotPresent
  command: [sh, -c]
  args: ["sleep 3600"]
  env: {EMPTY: "", NUMBER: "1.0", DOLLAR: "$$(HOME)"}
  resources: {cpuRequest: 1000m, cpuLimit: "1.50", memoryRequest: 0.5Gi, memoryLimit: 1024Mi}
  configMaps: [kube-root-ca.crt]
  secrets: [fields]
  labels: {team: data, empty: ""}
  annotations: {note: "", prometheus.io/scrape: "true"}
  nodeSelector: {kubernetes.io/os: linux}
  securityContext: {runAsUser: 0, runAsNonRoot: false, readOnlyRootFilesystem: false, capabilities: {drop: []}}
  sidecars:
    - name: log
      image: busybox:latest
      args: [sleep, "3600"]
      env: {A: ""}
      resources: {memoryLimit: 67108864}
      volumeMounts: [{name: secret-fields, mountPath: /s, readOnly: false}]
      securityContext: {privileged: true}
  terminationGracePeriod: 1500ms`;

const KEPT = `
  ports: [{containerPort: 80, servicePort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]
  healthCheckPath: up
  healthCheckPort: 81
  readinessTimeout: 90`;

const WORKLOADS: readonly [kind: string, child: string, spec: string][] = [
  ['WorkloadService', 'deployments', `${COMMON}${KEPT}\n  replicas: 2`],
  [
    'WorkloadPersistent',
    'statefulsets',
    `${COMMON}${KEPT}
  replicas: 1
  serviceName: peers
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}
  persistentVolumes: [{name: logs, mountPath: /l, size: 0.5Gi}, {name: data, mountPath: /d, size: 1024Ki, storageClassName: "none"}]`,
  ],
  [
    'WorkloadCronJob',
    'cronjobs',
    `${COMMON}
  schedule: "0 0 29 feb ?"
  timeZone: Europe/Berlin
  concurrencyPolicy: Replace
  startingDeadlineSeconds: 0
  successfulJobsHistoryLimit: 0
  failedJobsHistoryLimit: 0
  backoffLimit: 0
  activeDeadlineSeconds: 60
  ttlSecondsAfterFinished: 0
  restartPolicy: Never
  jobTemplate:
    metadata: {labels: {team: data, empty: ""}, annotations: {note: ""}}
    spec:
      parallelism: 2
      completions: 2
      completionMode: Indexed
      backoffLimitPerIndex: 1
      maxFailedIndexes: 1
      podFailurePolicy:
        rules:
          - {action: FailIndex, onExitCodes: {operator: In, values: [42, 43]}}
          - {action: Ignore, onPodConditions: [{type: DisruptionTarget}]}`,
  ],
];

it('is set once and then left alone', async () => {
  await stage.kube.apply('apiVersion: v1\nkind: Secret\nmetadata: {name: fields, namespace: default}\n');
  for (const [kind, child, spec] of WORKLOADS) {
    const name = `all-${child}`;
    await stage.kube.apply(
      `apiVersion: highlander.plexobject.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: default}\nspec:${spec}\n`,
    );
    const api = kind === 'WorkloadCronJob' ? 'apis/batch/v1' : 'apis/apps/v1';
    await waitFor(name, () => stage.object(api, `${child}/${name}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const said = controller.log().map(({ message, level, ...rest }) => `${level} ${message} ${JSON.stringify(rest)}`);
  expect(said.filter((line) => /^(warn|error)|Drifted/.test(line))).toEqual([]);
  const events = await stage.cluster.auditEvents();
  const writes = events.filter((event) => event.userAgent.includes('(fields-1-') && event.name.startsWith('all-'));
  const applies = writes.filter(({ resource, verb }) => verb === 'patch' && !resource.startsWith('workload'));
  // One of each; the Service of the StatefulSet is called peers.
  expect(applies.map(({ resource, name }) => `${resource} ${name}`).toSorted()).toEqual([
    'cronjobs all-cronjobs',
    'deployments all-deployments',
    'services all-deployments',
    'statefulsets all-statefulsets',
  ]);
});
