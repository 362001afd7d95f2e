/** Workloads as they are written in the world: the published samples, and what Deployments, StatefulSets and CronJobs of known programs become. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Input } from './mutations.ts';

const SHAPES: Readonly<Record<string, readonly [kind: string, spec: string, more?: { readonly neverRuns: true }]>> = {
  'PostgreSQL from its image': [
    'WorkloadPersistent',
    `{image: postgres:16, env: {POSTGRES_PASSWORD: example, PGDATA: /var/lib/postgresql/data/pgdata}, ports: [{name: pg, containerPort: 5432}],
      healthCheckPort: 5432, persistentVolumes: [{name: data, mountPath: /var/lib/postgresql/data, size: 10Gi}]}`,
  ],
  'broker behind a load balancer': [
    'WorkloadPersistent',
    `{image: "rabbitmq:3.13-management", ports: [{name: amqp, containerPort: 5672}, {name: http, containerPort: 15672}], serviceName: mq-nodes,
      serviceTemplate: {metadata: {annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}}, spec: {type: LoadBalancer}},
      statefulSetTemplate: {spec: {updateStrategy: {type: OnDelete}}},
      persistentVolumes: [{name: data, mountPath: /var/lib/rabbitmq, size: 8Gi}],
      volumeClaimTemplates: [{metadata: {name: data, labels: {backup: "yes"}}, spec: {volumeMode: Filesystem}}]}`,
  ],
  'dump of a database': [
    'WorkloadCronJob',
    `{image: "postgres:16-alpine", schedule: "10 */2 * * *", concurrencyPolicy: Forbid, restartPolicy: Never, backoffLimit: 2, activeDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 5, failedJobsHistoryLimit: 5, ttlSecondsAfterFinished: 86400,
      script: {commands: ['pg_dump -Fc app > "/backup/app-$(date +%Y%m%d%H%M).dump"', "find /backup -name '*.dump' -mtime +14 -delete"]},
      env: {PGHOST: pg.shop.svc, PGUSER: backup},
      podTemplate: {spec: {containers: [{name: main, env: [{name: PGPASSWORD, valueFrom: {secretKeyRef: {name: pg, key: password}}}],
        volumeMounts: [{name: backup, mountPath: /backup}, {name: conf, mountPath: /etc/pgbackup}]}],
        volumes: [{name: backup, persistentVolumeClaim: {claimName: backup-pvc}}, {name: conf, configMap: {name: pgbackup, defaultMode: 0777}}]}}}`,
  ],
  'country code without quotes': ['WorkloadProcess', '{image: a, env: {COUNTRY: NO}}'],
  'feature flag without quotes': ['WorkloadProcess', '{image: a, env: {FEATURE: on, VERBOSE: y}}'],
  'suspend: yes': ['WorkloadProcess', '{image: a, suspend: yes}'],
  'time zone in lower case': ['WorkloadCronJob', '{image: a, schedule: "0 6 * * *", timeZone: europe/berlin}'],
  'probe beside a health check': [
    'WorkloadService',
    `{image: nginx:1.27, ports: [{name: http, containerPort: 80}], healthCheckPath: /healthz,
      podTemplate: {spec: {containers: [{name: main, livenessProbe: {exec: {command: [cat, /tmp/alive]}, initialDelaySeconds: 20}}]}}}`,
  ],
  'variables that refer to others': [
    'WorkloadProcess',
    '{image: a, env: {RABBIT_HOST: r, RABBIT_USER: w, BROKER_URL: "amqp://$(RABBIT_USER)@$(RABBIT_HOST):5672"}}',
  ],
  'octal mode of a key': [
    'WorkloadProcess',
    `{image: alpine, command: [sleep, "3600"], podTemplate: {spec: {volumes: [{name: ssh, secret: {secretName: k, defaultMode: 0400}}],
      containers: [{name: main, volumeMounts: [{name: ssh, mountPath: /ssh}]}]}}}`,
  ],
  'Celery beat': [
    'WorkloadProcess',
    `{image: registry.example.test/shop/api:1.4.2, imagePullPolicy: Always, restartPolicy: Always, command: [celery], args: [-A, shop, beat, -l, INFO],
      env: {DJANGO_SETTINGS_MODULE: shop.settings, TZ: America/New_York}, resources: {cpuRequest: 100m, memoryRequest: 256Mi, memoryLimit: 512Mi},
      podTemplate: {spec: {imagePullSecrets: [{name: regcred}], securityContext: {runAsUser: 7123, runAsGroup: 1347, fsGroup: 1347},
        containers: [{name: main, envFrom: [{configMapRef: {name: env-specific}}, {secretRef: {name: shop}}],
          env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}], livenessProbe: {exec: {command: [sh, -c, "test -f /tmp/beat.pid"]}, periodSeconds: 30},
          lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}, volumeMounts: [{name: cfg, mountPath: /app/config.yaml, subPath: config.yaml}]}],
        volumes: [{name: cfg, configMap: {name: beat-config}}]}}}`,
  ],
  'service in front of an old one': [
    'WorkloadService',
    `{image: nginx, ports: [{name: http, containerPort: 8080, servicePort: 80}], serviceTemplate: {spec: {type: NodePort, externalTrafficPolicy: Local,
      sessionAffinity: ClientIP, ports: [{port: 80, nodePort: 30080}]}}}`,
  ],
  'claims of podTemplate': [
    'WorkloadPersistent',
    `{image: a, volumeClaimTemplates: [{metadata: {name: logs}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}],
      podTemplate: {spec: {containers: [{name: main, volumeMounts: [{name: logs, mountPath: /logs}]}]}}}`,
  ],
  'claim without a size': ['WorkloadPersistent', '{image: a, volumeClaimTemplates: [{metadata: {name: logs}}]}'],
  'script as long as it may be': ['WorkloadProcess', `{image: a, script: {commands: ["${'x'.repeat(131_070)}"]}}`],
  'script that is too long': [
    'WorkloadProcess',
    `{image: a, script: {commands: ["${'x'.repeat(131_071)}"]}}`,
    { neverRuns: true },
  ],
  'script of many long lines': [
    'WorkloadCronJob',
    `{image: a, schedule: "@daily", script: {commands: [${Array.from({ length: 30 }, () => `"${'y'.repeat(5000)}"`).join(', ')}]}}`,
    { neverRuns: true },
  ],
  'argument that is too long': ['WorkloadProcess', `{image: a, args: ["${'ä'.repeat(70_000)}"]}`, { neverRuns: true }],
  'variable that is too long': [
    'WorkloadProcess',
    `{image: a, env: {A: "${'x'.repeat(131_070)}"}}`,
    { neverRuns: true },
  ],
  Windows: [
    'WorkloadProcess',
    '{image: a, nodeSelector: {kubernetes.io/os: windows}, podTemplate: {spec: {os: {name: windows}}}}',
  ],
  'amounts in a template': [
    'WorkloadService',
    `{image: a, podTemplate: {spec: {volumes: [{name: tmp, emptyDir: {sizeLimit: 1024Mi}}], securityContext: null, containers: [{name: main,
      resources: {requests: {cpu: 0.5, memory: 1073741824}, limits: {cpu: 1000m}}, env: [{name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1000m}}}],
      volumeMounts: [{name: tmp, mountPath: /tmp}]}]}}}`,
  ],
  'amounts in several forms': [
    'WorkloadProcess',
    '{image: a, resources: {cpuRequest: "0.5", cpuLimit: 1, memoryRequest: 1024Mi, memoryLimit: "2147483648"}}',
  ],
};

/** `root`: folder of the project. */
export function worldly(root: string): readonly Input[] {
  const samples = join(root, 'manifests/samples');
  return [
    ...Object.entries(SHAPES).map(([name, [kind, spec, more]]): Input => {
      const text = `apiVersion: highlander.plexobject.io/v1\nkind: ${kind}\nmetadata: {name: app}\nspec: ${spec}\n`;
      return { group: 'shapes of the world', name, text, ...more };
    }),
    ...readdirSync(samples).map((name) => ({
      group: 'samples',
      name,
      text: readFileSync(join(samples, name), 'utf8'),
    })),
  ];
}
