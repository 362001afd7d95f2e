/**
 * Three workloads of each kind that keep a diary: their pods write, with the time since the machine started, when they
 * began, that they run, and that they end, to files that no cluster can take from them.
 */

export const NAMESPACE = 'default';
const EACH = [1, 2, 3];
/** Seconds: what the clusters are told that a pod needs to stop. */
export const GRACE_SECONDS = 5;
const BEAT_SECONDS = 0.2;
export const BEAT_MS = BEAT_SECONDS * 1000;
const RUN_SECONDS = 3;

export interface Chore {
  readonly kind: 'WorkloadProcess' | 'WorkloadService' | 'WorkloadPersistent' | 'WorkloadCronJob';
  readonly name: string;
}

export const steady: readonly Chore[] = [
  ...EACH.map((n): Chore => ({ kind: 'WorkloadProcess', name: `process-${n}` })),
  ...EACH.map((n): Chore => ({ kind: 'WorkloadService', name: `service-${n}` })),
  ...EACH.map((n): Chore => ({ kind: 'WorkloadPersistent', name: `persistent-${n}` })),
];

export const recurring: readonly Chore[] = EACH.map((n): Chore => ({ kind: 'WorkloadCronJob', name: `cron-${n}` }));

const SPECS: Readonly<Record<Chore['kind'], (name: string) => object>> = {
  WorkloadProcess: () => ({ restartPolicy: 'Always' }),
  WorkloadService: () => ({ replicas: 1 }),
  WorkloadPersistent: (name) => ({ replicas: 1, serviceName: name }),
  WorkloadCronJob: () => ({ schedule: '* * * * *', restartPolicy: 'Never', startingDeadlineSeconds: 300 }),
};

/** `edition`: a new one is a new spec, which replaces the pods. */
export function manifest({ kind, name }: Chore, folder: string, edition = 0): object {
  return {
    apiVersion: 'highlander.plexobject.io/v1',
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...SPECS[kind](name),
      image: 'busybox:latest',
      script: { commands: diary(name, kind === 'WorkloadCronJob') },
      env: { EDITION: String(edition) },
      terminationGracePeriod: `${GRACE_SECONDS}s`,
      podTemplate: {
        spec: {
          volumes: [{ name: 'diary', hostPath: { path: folder, type: 'Directory' } }],
          containers: [{ name: 'main', volumeMounts: [{ name: 'diary', mountPath: '/diary' }] }],
        },
      },
    },
  };
}

function diary(name: string, isRun: boolean): readonly string[] {
  const loop = `while ${isRun ? `[ $((n += 1)) -le ${RUN_SECONDS / BEAT_SECONDS} ]` : 'true'}; do say beat; sleep ${BEAT_SECONDS}; done`;
  return [
    'now() { cut -d" " -f1 /proc/uptime; }',
    `file=/diary/${name}.$HIGHLANDER_CLUSTER.$HOSTNAME.$(now)`,
    'say() { echo "$(now) $1" >> "$file"; }',
    'trap "say end; exit 0" TERM',
    'say start',
    'n=0',
    loop,
    'say end',
  ];
}
