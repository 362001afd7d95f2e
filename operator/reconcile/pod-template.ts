/**
 * The pod of a workload, from the part of the spec that all kinds share. Deterministic: equal specs give equal pods.
 *
 * Containers get what the restricted Pod Security Standard asks for, except `runAsNonRoot`: common images (busybox) run
 * as root, and a singleton that starts nowhere is no help. A spec opts out, or in, by `securityContext` or `podTemplate`.
 * The spec's own fields are laid over its `podTemplate`, and that over what is the default here.
 */
import type {
  Container,
  ContainerSecurityContext,
  EnvVar,
  PodSpec,
  ResourceRequirements,
  Volume,
} from '../api/kubernetes.ts';
import type { CommonSpec, Resources, Script, SecurityContext, Sidecar } from '../api/workload.ts';
import { wholeSeconds } from '../lib/duration.ts';
import { stableHash, withoutOurs } from './metadata.ts';
import { scriptCommand } from './script.ts';
import { strategicMerge } from './strategic-merge.ts';

export const MAIN_CONTAINER = 'main';
const DEFAULT_GRACE_SECONDS = 30;

/** Kubernetes knows no parts of seconds here. */
export function graceSecondsOf({ terminationGracePeriod, podTemplate }: CommonSpec): number {
  const template = podTemplate?.spec?.['terminationGracePeriodSeconds'];
  return wholeSeconds(terminationGracePeriod ?? (typeof template === 'number' ? template : DEFAULT_GRACE_SECONDS));
}

export interface TemplateOptions {
  readonly tenant: string;
  readonly clusterName: string;
  /** Value of HIGHLANDER_FENCING_TOKEN; left out of the template's hash by rendering it empty. */
  readonly fencingToken: string;
  /** Of the pod: `Always`, `OnFailure` or `Never`. */
  readonly restartPolicy: string;
  readonly gracePeriodSeconds: number;
  /** For the main container: probes, and mounts of claimed volumes. */
  readonly main?: Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe' | 'volumeMounts'>;
}

/** Labels and annotations that the user wants on the pod; those of our group are taken out. */
export function podMetadata({ labels, annotations, podTemplate }: CommonSpec) {
  const { metadata } = podTemplate ?? {};
  return {
    labels: { ...metadata?.labels, ...labels },
    annotations: withoutOurs({ ...metadata?.annotations, ...annotations }),
  };
}

/**
 * Sidecars are plain containers beside a process that is always running. A pod that may complete would never do so with
 * them, so there they are restartable init containers (Kubernetes 1.29): they start first and end with the main one.
 */
export function podSpec(spec: CommonSpec, options: TemplateOptions): PodSpec {
  const { restartPolicy } = options;
  const completes = restartPolicy !== 'Always';
  const sidecars = (spec.sidecars ?? []).map((sidecar) => sidecarContainer(sidecar, options));
  const volumes = volumesOf(spec);
  const own: PodSpec = {
    restartPolicy,
    terminationGracePeriodSeconds: options.gracePeriodSeconds,
    ...optional('nodeSelector', spec.nodeSelector),
    ...(completes && sidecars.length > 0
      ? { initContainers: sidecars.map((sidecar) => ({ ...sidecar, restartPolicy: 'Always' })) }
      : {}),
    containers: [mainContainer(spec, options), ...(completes ? [] : sidecars)],
    ...(volumes.length > 0 ? { volumes } : {}),
  };
  return withDefaults(strategicMerge(spec.podTemplate?.spec, own));
}

/** What neither the spec nor its template says. */
function withDefaults(pod: PodSpec): PodSpec {
  const { containers, initContainers } = pod;
  return {
    ...pod,
    securityContext: { seccompProfile: { type: 'RuntimeDefault' }, ...pod.securityContext },
    containers: containers.map(restricted),
    ...(initContainers && { initContainers: initContainers.map(restricted) }),
  };
}

function restricted(container: Container): Container {
  const { securityContext: given = {} } = container;
  if (given.privileged) return { ...container, securityContext: given }; // the API server refuses it together with less
  const { add, drop = ['ALL'] } = given.capabilities ?? {};
  const capabilities = { ...optional('add', add), drop };
  return { ...container, securityContext: { allowPrivilegeEscalation: false, ...given, capabilities } };
}

function mainContainer(spec: CommonSpec, options: TemplateOptions): Container {
  const volumeMounts = [
    ...(spec.configMaps ?? []).map((name) => ({
      name: volumeName('config', name),
      mountPath: `/etc/config/${name}`,
      readOnly: true,
    })),
    ...(spec.secrets ?? []).map((name) => ({
      name: volumeName('secret', name),
      mountPath: `/etc/secrets/${name}`,
      readOnly: true,
    })),
    ...(options.main?.volumeMounts ?? []),
  ];
  const ports = (spec.ports ?? []).map(({ name, containerPort, protocol }) => ({
    ...optional('name', name),
    containerPort,
    protocol,
  }));
  return {
    name: MAIN_CONTAINER,
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    ...(spec.script ? start(spec.script) : { ...optional('command', spec.command), ...optional('args', spec.args) }),
    env: envOf(spec.env, options),
    ...(ports.length > 0 ? { ports } : {}),
    resources: requirements(spec.resources),
    ...options.main,
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
    ...rights(spec.securityContext),
  };
}

function start({ shell, commands }: Script): { command: string[] } {
  return { command: scriptCommand(shell, commands) };
}

function sidecarContainer(sidecar: Sidecar, options: TemplateOptions): Container {
  const volumeMounts = sidecar.volumeMounts?.map(({ name, mountPath, readOnly }) => ({
    name,
    mountPath,
    ...optional('readOnly', readOnly),
  }));
  return {
    name: sidecar.name,
    image: sidecar.image,
    imagePullPolicy: 'IfNotPresent',
    ...optional('command', sidecar.command),
    ...optional('args', sidecar.args),
    env: envOf(sidecar.env, options),
    resources: requirements(sidecar.resources),
    ...optional('volumeMounts', volumeMounts),
    ...rights(sidecar.securityContext),
  };
}

/** Sorted by name, so that a map's order changes nothing. */
function envOf(
  users: Readonly<Record<string, string>> = {},
  { tenant, clusterName, fencingToken }: TemplateOptions,
): EnvVar[] {
  const all = {
    ...users,
    HIGHLANDER_CLUSTER: clusterName,
    HIGHLANDER_FENCING_TOKEN: fencingToken,
    HIGHLANDER_TENANT: tenant,
  };
  return Object.entries(all)
    .map(([name, value]) => ({ name, value }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function requirements(resources: Resources = {}): ResourceRequirements {
  const requests = amounts(resources.cpuRequest, resources.memoryRequest);
  const limits = amounts(resources.cpuLimit, resources.memoryLimit);
  return { ...optional('requests', requests), ...optional('limits', limits) };
}

function amounts(cpu?: string | number, memory?: string | number): Record<string, string> | undefined {
  if (cpu === undefined && memory === undefined) return undefined;
  return { ...optional('cpu', cpu?.toString()), ...optional('memory', memory?.toString()) };
}

/** As far as the spec says. */
function rights(users: SecurityContext = {}): { securityContext?: ContainerSecurityContext } {
  const { capabilities, ...rest } = users;
  const { add, drop } = capabilities ?? {};
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const wanted = {
    ...given,
    ...(capabilities && { capabilities: { ...optional('add', add), ...optional('drop', drop) } }),
  };
  return Object.keys(wanted).length > 0 ? { securityContext: wanted } : {};
}

function volumesOf(spec: CommonSpec): Volume[] {
  return [
    ...(spec.configMaps ?? []).map((name) => ({ name: volumeName('config', name), configMap: { name } })),
    ...(spec.secrets ?? []).map((name) => ({ name: volumeName('secret', name), secret: { secretName: name } })),
  ];
}

/** `config-<name>`; an object's name may hold dots and be longer than a volume's, then a hash keeps it unique. */
export function volumeName(prefix: 'config' | 'secret', name: string): string {
  const plain = `${prefix}-${name}`;
  if (plain.length <= 63 && !name.includes('.')) return plain;
  return `${plain.replaceAll('.', '-').slice(0, 50)}-${stableHash(name).slice(0, 8)}`;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}
