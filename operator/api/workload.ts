/** What the specs of all kinds share: how the main container is started, what surrounds it, and what is put on its pod. */
import * as z from 'zod';
import { compareQuantities } from '../lib/quantity.ts';
import type { Rule } from './fields.ts';
import type { PodTemplateFields } from './pod-template.ts';
import { podTemplate } from './pod-template.ts';
import { RESERVED_ENV } from './reserved-env.ts';
import {
  annotationMap,
  argument,
  described,
  dnsLabel,
  duration,
  labelMap,
  list,
  MAX_ARGUMENT_BYTES,
  objectName,
  quantity,
  textLike,
  variableMap,
  withRules,
} from './fields.ts';

const imageName = textLike(/^\S+$/, 1024, 'is not an image name; example: busybox:1.36 (without white space)');

/** A script as one text: each command is a line of its own. */
export function scriptText(commands: readonly string[]): string {
  return commands.map((command) => `${command}\n`).join('');
}

/** Schema of `script`: shell commands that become the main container's command. */
export const script = z
  .object({
    commands: z
      .array(argument)
      .min(1, 'must have at least one command')
      .max(1000)
      .meta({
        description:
          'Lines of the script, run one after another by one shell; a failing command ends the script. Required, at least one. ' +
          'The shell receives them unchanged, so $(date) and $$ have their usual meaning in a shell. Example: ["echo started", "/app/run.sh"]',
        'x-kubernetes-list-type': 'atomic',
      }),
    shell: described(
      textLike(/^\S+$/, 1024, 'must be the path of a program, without arguments').default('/bin/sh'),
      'Program that runs the script, without arguments; it is called with -c. Default: /bin/sh. Example: /bin/bash',
    ),
  })
  .refine(({ commands }) => Buffer.byteLength(scriptText(commands)) <= MAX_ARGUMENT_BYTES, {
    error: `is longer than ${MAX_ARGUMENT_BYTES} bytes, the most that Linux accepts: put it into a ConfigMap or the image`,
  })
  .meta({
    description:
      "Script to run as the main container's process. Absent: command and args, or else the image's own entrypoint. Mutually exclusive with command and args. " +
      'SIGTERM is sent to every process of the script, which may take up to terminationGracePeriod to end.',
  });

function notMore(request: 'cpuRequest' | 'memoryRequest', limit: 'cpuLimit' | 'memoryLimit') {
  return {
    rule: `!has(self.${request}) || !has(self.${limit}) || quantity(string(self.${request})).compareTo(quantity(string(self.${limit}))) <= 0`,
    message: `${request} must not be more than ${limit}`,
    holds: (value: { readonly [K in typeof request | typeof limit]?: string | number | undefined }) =>
      (compareQuantities(value[request] ?? 0, value[limit] ?? value[request] ?? 0) ?? 0) <= 0,
  };
}

/** Schema of `resources`: requests and limits of the main container. */
export const resources = withRules(
  z.object({
    cpuRequest: quantity('Reserved CPU, in cores or thousandths (m). Default: none. Example: 200m').optional(),
    memoryRequest: quantity('Reserved memory, in bytes or Ki, Mi, Gi. Default: none. Example: 256Mi').optional(),
    cpuLimit: quantity('Limit of CPU; use beyond it is throttled. Default: none. Example: 500m').optional(),
    memoryLimit: quantity(
      'Limit of memory; use beyond it ends the container (OOMKilled). Default: none. Example: 512Mi',
    ).optional(),
  }),
  [notMore('cpuRequest', 'cpuLimit'), notMore('memoryRequest', 'memoryLimit')],
).meta({
  description:
    "Resource requests and limits of the container. Default: the namespace's defaults. Example: {cpuRequest: 100m, memoryRequest: 64Mi}",
});

const noReservedEnv: Rule<Record<string, string>> = {
  // `in` costs next to nothing; a macro over the keys would break the API server's cost limit
  rule: RESERVED_ENV.map((name) => `!('${name}' in self)`).join(' && '),
  message: `${RESERVED_ENV.join(', ')} are set by the operator`,
  holds: (env) => !RESERVED_ENV.some((name) => Object.hasOwn(env, name)),
};

/** Schema of `env`: environment variables of the main container. */
export const env = withRules(
  variableMap(
    'Environment variables, name to value; values are strings, so quote numbers and booleans. $(OTHER) is replaced by the value of ' +
      'OTHER; write $$ for a $. Default: none. Example: {DB_HOST: postgres.example.com, PORT: "8080"}',
  ),
  [noReservedEnv],
);

const portNumber = z.int32().min(1).max(65_535);

/** Schema of `ports`: the main container's ports, which a Service may offer. */
export const ports = list(
  z.object({
    name: described(
      dnsLabel(15).refine((name) => /[a-z]/.test(name) && !name.includes('--'), {
        error: 'is not a valid port name: use at least one letter, and no two - in a row',
      }),
      'Name of the port, unique in the pod. Example: http',
    ).optional(),
    containerPort: described(portNumber, 'Port that the container listens on. Required. Example: 8080'),
    servicePort: described(
      portNumber,
      'Port of the Service, for the kinds that create one (WorkloadService, WorkloadPersistent). Default: containerPort. Example: 80',
    ).optional(),
    protocol: described(z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'), 'Transport protocol. Default: TCP'),
  }),
  100,
  'Ports of the main container. Default: none. Example: [{name: http, containerPort: 8080}]',
);

const capabilityNames = z.array(z.string().min(1).max(64)).max(64).meta({ 'x-kubernetes-list-type': 'atomic' });

const isAdmin = (capability: string) => /^(CAP_)?SYS_ADMIN$/.test(capability);

/** Schema of the main container's security context. */
export const securityContext = z
  .object({
    privileged: described(z.boolean(), 'Full access to the node. Default: false').optional(),
    allowPrivilegeEscalation: described(
      z.boolean(),
      "Whether setuid programs may gain privileges. Default: Kubernetes' own, which is true",
    ).optional(),
    runAsUser: described(z.int32().min(0), "Numeric user. Default: the image's own. Example: 1000").optional(),
    runAsGroup: described(z.int32().min(0), "Numeric group. Default: the image's own. Example: 1000").optional(),
    runAsNonRoot: described(
      z.boolean(),
      'Do not start the container as root. Default: false, or true with restricted podDefaults',
    ).optional(),
    readOnlyRootFilesystem: described(z.boolean(), "No writes to the image's files. Default: false").optional(),
    capabilities: z
      .object({
        add: capabilityNames.meta({ description: 'Capabilities to add. Example: [CHOWN, SETUID, SETGID]' }).optional(),
        drop: capabilityNames.meta({ description: 'Capabilities to drop. Default: none. Example: [ALL]' }).optional(),
      })
      .meta({ description: 'Linux capabilities. Default: those of the container runtime. Example: {drop: [ALL]}' })
      .optional(),
  })
  .refine(
    ({ allowPrivilegeEscalation: allowed, privileged, capabilities }) =>
      allowed !== false || !(privileged || capabilities?.add?.some(isAdmin)),
    {
      path: ['allowPrivilegeEscalation'],
      error: 'must not be false together with privileged or the capability SYS_ADMIN',
    },
  )
  .meta({
    description:
      'Security settings of the container. Default: those of any pod; with podDefaults restricted in the configuration, or in a namespace that enforces ' +
      'the restricted Pod Security Standard, what that standard requires. Example: {runAsNonRoot: true, capabilities: {drop: [ALL]}}',
  });

const argv = (description: string) => list(argument, 1000, description);

const sidecar = z.object({
  name: described(dnsLabel(), 'Name of the container, unique in the pod. Required. Example: metrics'),
  image: described(imageName, 'Image of the container. Required. Example: busybox:1.36'),
  command: argv("Program to run. Default: the image's entrypoint").optional(),
  args: argv("Arguments. Default: the image's own").optional(),
  env: env.optional(),
  resources: resources.optional(),
  volumeMounts: list(
    z.object({
      name: described(
        z.string().min(1).max(260),
        'Volume: config-NAME of a listed ConfigMap, secret-NAME of a listed Secret, or one of persistentVolumes or podTemplate. Required. Example: config-app',
      ),
      mountPath: described(z.string().min(1).max(4096), 'Folder in the container. Required. Example: /etc/app'),
      readOnly: described(z.boolean(), 'Mount read-only. Default: false').optional(),
    }),
    50,
    'Volumes to mount. Default: none',
  ).optional(),
  securityContext: securityContext.optional(),
});

const sidecarNames: Rule<readonly { name: string }[]> = {
  rule: "self.all(c, c.name != 'main')",
  message: "the name 'main' is reserved for the main container",
  holds: (containers) => containers.every(({ name }) => name !== 'main'),
};

/** Schema of `sidecars`: containers beside the main one, 20 at most. */
export const sidecars = withRules(
  z
    .array(sidecar)
    .max(20)
    .meta({
      description:
        'Containers that run beside the main one, in the same pod. Default: none. Example: [{name: log, image: busybox, args: [tail, -F, /log]}]',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
  [sidecarNames],
);

const nameSet = (description: string) =>
  z
    .array(objectName)
    .max(50)
    .superRefine((names, context) => {
      for (const [index, name] of names.entries())
        if (names.indexOf(name) < index)
          context.addIssue({ code: 'custom', path: [index], message: 'is specified twice' });
    })
    .meta({ description, 'x-kubernetes-list-type': 'set' });

/** Fields of every kind's spec that end up in its pod. */
export const podFields = {
  image: described(imageName, 'Image of the main container. Required. Example: busybox:latest'),
  imagePullPolicy: described(
    z.enum(['IfNotPresent', 'Always', 'Never']).default('IfNotPresent'),
    'When the node pulls the image. Default: IfNotPresent, so that a failover does not depend on a registry',
  ),
  script: script.optional(),
  command: argv(
    "Program of the main container. Default: the image's entrypoint. Mutually exclusive with script. Example: [/app/server]",
  ).optional(),
  args: argv(
    "Arguments of the main container. Default: the image's own. Mutually exclusive with script. Example: [--verbose]",
  ).optional(),
  env: env.optional(),
  resources: resources.optional(),
  ports: ports.optional(),
  configMaps: nameSet(
    'ConfigMaps of the same namespace, mounted at /etc/config/NAME. Default: none. Example: [app-settings]',
  ).optional(),
  secrets: nameSet(
    'Secrets of the same namespace, mounted at /etc/secrets/NAME. Default: none. Example: [db-password]',
  ).optional(),
  sidecars: sidecars.optional(),
  securityContext: securityContext.optional(),
  podTemplate: podTemplate.optional(),
  labels: labelMap(
    "Labels for the pod. The operator's own labels take precedence. Default: none. Example: {team: data}",
  ).optional(),
  annotations: annotationMap(
    'Annotations for the pod. Default: none. Example: {prometheus.io/scrape: "true"}',
  ).optional(),
  nodeSelector: labelMap(
    'Labels that a node must have to run the pod. Default: any node. Example: {disktype: ssd}',
  ).optional(),
  terminationGracePeriod: duration(
    'How long a stopped workload may take to end before it is killed: a duration, or seconds. Default: 30s. Example: 2m',
  ).optional(),
  suspend: described(z.boolean().default(false), 'Stop the workload and keep it stopped. Default: false'),
};

interface Startable {
  readonly script?: unknown;
  readonly command?: unknown;
  readonly args?: unknown;
  readonly podTemplate?: PodTemplateFields | undefined;
}

/** A main container is started by `script`, or by `command` and `args`, never both. */
export const oneWayToStart: Rule<Startable> = {
  rule: '!has(self.script) || (!has(self.command) && !has(self.args))',
  message: 'script is mutually exclusive with command and args',
  holds: (spec) =>
    spec.script === undefined || (spec.command === undefined && spec.args === undefined && !startsInTemplate(spec)),
};

/** The API server does not look into it, so no rule in CEL can. */
function startsInTemplate({ podTemplate: template }: Startable): boolean {
  const all = (template?.spec?.['containers'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return all.some((each) => each['name'] === 'main' && ('command' in each || 'args' in each));
}

/** A `script` as the schema returns it. */
export type Script = z.output<typeof script>;
/** `resources` as the schema returns it. */
export type Resources = z.output<typeof resources>;
/** A security context as the schema returns it. */
export type SecurityContext = z.output<typeof securityContext>;
/** A sidecar as the schema returns it. */
export type Sidecar = z.output<typeof sidecar>;
const commonSpec = z.object(podFields);
/** The part of any kind's spec that describes its pod. */
export type CommonSpec = z.output<typeof commonSpec>;
