/** What the API server asks of the values in templates, beyond their types: names, choices, bounds, what must be there and what excludes what. Pure. */
import { isIP } from 'node:net';
import { compareQuantities } from '../lib/quantity.ts';
import type { TemplateFlaw } from './kubernetes-fields.ts';
import { containerRules, podRules, type SpecFields } from './kubernetes-rules.ts';
import type { FieldPath } from './unknown-fields.ts';

type Json = Readonly<Record<string, unknown>>;

interface Form {
  readonly fix: string;
  readonly holds: (value: string | number) => boolean;
}

const oneOf = (choices: string): Form => ({
  fix: `must be one of ${choices.replaceAll(' ', ', ')}`,
  holds: (value) => choices.split(' ').includes(String(value)),
});
const between = (least: number, most: number): Form => ({
  fix: `must be a whole number from ${least} to ${most}`,
  holds: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
});
const named = (pattern: RegExp, fix: string): Form => ({ fix, holds: (value) => pattern.test(String(value)) });

const LABEL = named(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  'must be at most 63 lower-case letters, digits and -, none of these - at an end',
);
const OBJECT = named(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'must be the name of an object: lower-case letters, digits, - and dots',
);
const VARIABLE = named(/^[ -<>-~]+$/, 'must be the name of a variable: ASCII characters without =');
const PORT = between(1, 65_535);
const PORT_OR_NAME: Form = {
  fix: 'must be a port from 1 to 65535, or the name of one',
  holds: (value) => (typeof value === 'number' ? PORT.holds(value) : /^(?=.*[a-z])[a-z0-9-]{1,15}$/.test(value)),
};
const MODE = between(0, 0o777);
const ID = between(0, 2 ** 31 - 1);
const COUNT = between(0, 2 ** 31 - 1);
const INSIDE = named(/^(?!\/)(?!(.*\/)?\.\.(\/|$))/, 'must be a relative path without ".."');

/** By type and field. An empty text is as good as none. */
const FORMS: Readonly<Record<string, Form>> = {
  'V1PodSpec.dnsPolicy': oneOf('ClusterFirst ClusterFirstWithHostNet Default None'),
  'V1PodSpec.subdomain': LABEL,
  'V1PodSpec.serviceAccountName': OBJECT,
  'V1PodSpec.activeDeadlineSeconds': between(1, 2 ** 31 - 1),
  'V1HostAlias.ip': { fix: 'must be an IP address', holds: (value) => isIP(String(value)) !== 0 },
  'V1PodOS.name': oneOf('linux windows'),
  'V1Container.name': LABEL,
  'V1Container.terminationMessagePolicy': oneOf('File FallbackToLogsOnError'),
  'V1ContainerPort.containerPort': PORT,
  'V1ContainerPort.protocol': oneOf('TCP UDP SCTP'),
  'V1ContainerPort.name': named(
    /^(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/,
    'must be at most 15 lower-case letters, digits and -, with a letter',
  ),
  'V1ContainerResizePolicy.resourceName': oneOf('cpu memory'),
  'V1EnvVar.name': VARIABLE,
  'V1SecretEnvSource.name': OBJECT,
  'V1ConfigMapEnvSource.name': OBJECT,
  'V1SecretKeySelector.name': OBJECT,
  'V1ConfigMapKeySelector.name': OBJECT,
  'V1ObjectFieldSelector.fieldPath': named(
    /^(metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?))$/,
    "must be a field such as status.podIP or metadata.labels['app']",
  ),
  'V1HTTPGetAction.port': PORT_OR_NAME,
  'V1TCPSocketAction.port': PORT_OR_NAME,
  'V1GRPCAction.port': PORT,
  'V1HTTPGetAction.scheme': oneOf('HTTP HTTPS'),
  ...Object.fromEntries(
    ['timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold', 'initialDelaySeconds'].map((field) => [
      `V1Probe.${field}`,
      COUNT,
    ]),
  ),
  'V1Volume.name': LABEL,
  'V1VolumeMount.mountPropagation': oneOf('None HostToContainer Bidirectional'),
  'V1VolumeMount.subPath': INSIDE,
  'V1VolumeMount.subPathExpr': INSIDE,
  'V1KeyToPath.path': INSIDE,
  'V1KeyToPath.mode': MODE,
  ...Object.fromEntries(
    ['ConfigMap', 'Secret', 'Projected', 'DownwardAPI'].map((kind) => [`V1${kind}VolumeSource.defaultMode`, MODE]),
  ),
  'V1Toleration.operator': oneOf('Exists Equal'),
  'V1Toleration.effect': oneOf('NoSchedule PreferNoSchedule NoExecute'),
  'V1TopologySpreadConstraint.maxSkew': between(1, 2 ** 31 - 1),
  'V1TopologySpreadConstraint.whenUnsatisfiable': oneOf('DoNotSchedule ScheduleAnyway'),
  'V1PreferredSchedulingTerm.weight': between(1, 100),
  'V1WeightedPodAffinityTerm.weight': between(1, 100),
  'V1NodeSelectorRequirement.operator': oneOf('In NotIn Exists DoesNotExist Gt Lt'),
  'V1LabelSelectorRequirement.operator': oneOf('In NotIn Exists DoesNotExist'),
  'V1SeccompProfile.type': oneOf('RuntimeDefault Unconfined Localhost'),
  'V1SecurityContext.procMount': oneOf('Default Unmasked'),
  'V1SecurityContext.runAsUser': ID,
  'V1SecurityContext.runAsGroup': ID,
  'V1PodSecurityContext.runAsUser': ID,
  'V1PodSecurityContext.runAsGroup': ID,
  'V1PodSecurityContext.fsGroup': ID,
  'V1PodSecurityContext.fsGroupChangePolicy': oneOf('Always OnRootMismatch'),
  'V1PersistentVolumeClaimSpec.volumeMode': oneOf('Filesystem Block'),
  'V1ServiceSpec.type': oneOf('ClusterIP NodePort LoadBalancer ExternalName'),
  'V1ServiceSpec.sessionAffinity': oneOf('None ClientIP'),
  'V1ServiceSpec.externalTrafficPolicy': oneOf('Cluster Local'),
  'V1ServiceSpec.internalTrafficPolicy': oneOf('Cluster Local'),
};

const REQUIRED: Readonly<Record<string, string>> = {
  V1PodOS: 'name',
  V1Volume: 'name',
  V1VolumeMount: 'name mountPath',
  V1VolumeDevice: 'name devicePath',
  V1ContainerPort: 'containerPort',
  V1EnvVar: 'name',
  V1SecretEnvSource: 'name',
  V1ConfigMapEnvSource: 'name',
  V1SecretKeySelector: 'name key',
  V1ConfigMapKeySelector: 'name key',
  V1ObjectFieldSelector: 'fieldPath',
  V1ExecAction: 'command',
  V1HTTPGetAction: 'port',
  V1TCPSocketAction: 'port',
  V1GRPCAction: 'port',
  V1KeyToPath: 'key path',
  V1PersistentVolumeClaimVolumeSource: 'claimName',
  V1TopologySpreadConstraint: 'maxSkew topologyKey whenUnsatisfiable',
  V1SeccompProfile: 'type',
  V1NodeSelector: 'nodeSelectorTerms',
};

/** Types of which one field alone may be given; `isNeeded`: one must be. */
const ALTERNATIVES: Readonly<Record<string, { readonly not: string; readonly isNeeded: boolean }>> = {
  V1EnvVarSource: { not: '', isNeeded: true },
  V1EnvFromSource: { not: 'prefix', isNeeded: true },
  V1LifecycleHandler: { not: '', isNeeded: true },
  V1Volume: { not: 'name', isNeeded: false },
  V1Probe: {
    not: 'failureThreshold initialDelaySeconds periodSeconds successThreshold terminationGracePeriodSeconds timeoutSeconds',
    isNeeded: false,
  },
};

/** Of one object; what is below it is judged by itself. `spec`: that of the workload around the template. */
export function valueFlaws(type: string, value: Json, at: FieldPath, spec: SpecFields): readonly TemplateFlaw[] {
  const say = (path: FieldPath, fix: string): TemplateFlaw => ({ path: [...at, ...path], fix });
  const required = (REQUIRED[type] ?? '').split(' ').filter((field) => field !== '' && isAbsent(value[field]));
  const malformed = Object.entries(value).flatMap(([field, given]) => {
    const form = FORMS[`${type}.${field}`];
    const isGiven = (typeof given === 'string' || typeof given === 'number') && given !== '';
    return form && isGiven && !form.holds(given) ? [say([field], form.fix)] : [];
  });
  const rules = type === 'V1Container' ? containerRules(value, spec) : type === 'V1PodSpec' ? podRules(value) : [];
  return [
    ...required.map((field) => say([field], 'is required')),
    ...malformed,
    ...alternatives(type, value).map((fix) => say([], fix)),
    ...[...rules, ...(RULES[type]?.(value) ?? [])].map(({ path, fix }) => say(path, fix)),
  ];
}

function alternatives(type: string, value: Json): readonly string[] {
  const { not = '', isNeeded = false } = ALTERNATIVES[type] ?? {};
  if (!ALTERNATIVES[type]) return [];
  const given = Object.keys(value).filter((field) => value[field] !== null && !not.split(' ').includes(field));
  if (given.length > 1) return [`has ${given.join(' and ')}, of which one alone may be there`];
  return given.length === 0 && isNeeded ? ['does not say what it is'] : [];
}

const RULES: Readonly<Record<string, (value: Json) => readonly TemplateFlaw[]>> = {
  V1EnvVar: ({ value, valueFrom }) =>
    flaw(!isAbsent(value) && !isAbsent(valueFrom), 'valueFrom', 'is not allowed together with value'),
  V1VolumeMount: ({ subPath, subPathExpr }) =>
    flaw(!isAbsent(subPath) && !isAbsent(subPathExpr), 'subPathExpr', 'is not allowed together with subPath'),
  V1Toleration: ({ key, operator, value, effect, tolerationSeconds }) => [
    ...flaw(isAbsent(key) && operator !== 'Exists', 'operator', 'must be Exists where no key is given'),
    ...flaw(operator === 'Exists' && !isAbsent(value), 'value', 'is not allowed with operator Exists'),
    ...flaw(
      !isAbsent(tolerationSeconds) && effect !== 'NoExecute',
      'effect',
      'must be NoExecute with tolerationSeconds',
    ),
  ],
  V1SeccompProfile: ({ type, localhostProfile }) =>
    flaw(type === 'Localhost' && isAbsent(localhostProfile), 'localhostProfile', 'is required with type Localhost'),
  V1SecurityContext: ({ privileged, allowPrivilegeEscalation: allowed }) =>
    flaw(privileged === true && allowed === false, 'allowPrivilegeEscalation', 'must not be false beside privileged'),
  V1PersistentVolumeClaimSpec: ({ resources }) => {
    const size = (resources as { requests?: { storage?: string | number } } | null)?.requests?.storage;
    const isNone = size !== undefined && (size === null || (compareQuantities(size, '0') ?? 1) <= 0);
    return flaw(isNone, 'resources', 'must request more than 0 of storage');
  },
};

function flaw(isWrong: boolean, field: string, fix: string): readonly TemplateFlaw[] {
  return isWrong ? [{ path: [field], fix }] : [];
}

/** As Kubernetes sees it: what is empty is not there. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
