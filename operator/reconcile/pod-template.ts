/**
 * The pod of a workload, from the part of the spec that all kinds share. Deterministic: equal specs give equal pods.
 *
 * The spec's own fields are laid over its `podTemplate`, and that over the defaults. Unless others ask for `restricted` ones,
 * nothing is taken from a container that a plain Deployment would give it: images run as they are published.
 */
import type { Container, ContainerSecurityContext, PodSpec, Probe, ResourceRequirements } from '../api/kubernetes.ts';
import type { PodDefaults } from '../api/pod-defaults.ts';
import type { CommonSpec, Resources, Script, SecurityContext, Sidecar } from '../api/workload.ts';
import { wholeSeconds } from '../lib/duration.ts';
import { withoutOurs } from './metadata.ts';
import { withRestrictedDefaults } from './pod-defaults.ts';
import type { Identity } from './pod-environment.ts';
import { inOrderOfReferences, variablesOf } from './pod-environment.ts';
import { mountsOf, volumesOf, withVolumeNames } from './pod-volumes.ts';
import { scriptCommand } from './script.ts';
import { strategicMerge } from './strategic-merge.ts';

/** Name of the container that the spec describes. */
export const MAIN_CONTAINER = 'main';
const DEFAULT_GRACE_SECONDS = 30;

/** Kubernetes knows no parts of seconds here. */
export function graceSecondsOf({ terminationGracePeriod, podTemplate }: CommonSpec): number {
  const template = podTemplate?.spec?.['terminationGracePeriodSeconds'];
  return wholeSeconds(terminationGracePeriod ?? (typeof template === 'number' ? template : DEFAULT_GRACE_SECONDS));
}

/** `fencingToken` is left out of the template's hash by rendering it empty. */
export interface TemplateOptions extends Identity {
  /** `kubernetes` unless told. */
  readonly podDefaults?: PodDefaults | undefined;
  /** Of the pod: `Always`, `OnFailure` or `Never`. */
  readonly restartPolicy: string;
  readonly gracePeriodSeconds: number;
  /** For the main container: probes, and mounts of claimed volumes. */
  readonly main?: Probes & Pick<Container, 'volumeMounts' | 'volumeDevices'>;
}

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;
type Probes = Pick<Container, (typeof PROBES)[number]>;

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
  const pod = finished(strategicMerge(spec.podTemplate?.spec, own), spec);
  return options.podDefaults === 'restricted' ? withRestrictedDefaults(pod) : pod;
}

/** What concerns every container, whichever of the two it came from. */
function finished(pod: PodSpec, spec: CommonSpec): PodSpec {
  const finish = (container: Container): Container => {
    const named = withVolumeNames(container, spec);
    return named.env ? { ...named, env: inOrderOfReferences(named.env) } : named;
  };
  const { containers, initContainers } = pod;
  return {
    ...pod,
    containers: containers.map(finish),
    ...(initContainers && { initContainers: initContainers.map(finish) }),
  };
}

function mainContainer(spec: CommonSpec, options: TemplateOptions): Container {
  const volumeMounts = [...mountsOf(spec), ...(options.main?.volumeMounts ?? [])];
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
    env: variablesOf(spec.env, options),
    ...(ports.length > 0 ? { ports } : {}),
    resources: requirements(spec.resources),
    ...probes(options.main, spec),
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
    ...optional('volumeDevices', options.main?.volumeDevices),
    ...rights(spec.securityContext),
  };
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/** A probe has one handler: that of the template, where it has one, else that of the health check. */
function probes(ours: Probes = {}, { podTemplate }: CommonSpec): Probes {
  const containers = (podTemplate?.spec?.['containers'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  const main = containers.find(({ name }) => name === MAIN_CONTAINER) ?? {};
  const entries = PROBES.flatMap((probe): [string, Probe][] => {
    const theirs = main[probe] as Readonly<Record<string, unknown>> | undefined;
    if (!ours[probe] || (theirs && HANDLERS.some((handler) => theirs[handler]))) return [];
    return [[probe, { ...ours[probe], ...theirs }]];
  });
  return Object.fromEntries(entries);
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
    env: variablesOf(sidecar.env, options),
    resources: requirements(sidecar.resources),
    ...optional('volumeMounts', volumeMounts),
    ...rights(sidecar.securityContext),
  };
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

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: V });
}
