/** What the API server refuses in a pod and no single field's schema can see: names that lead nowhere, or are there twice. */
import type * as z from 'zod';
import type { ClaimTemplates } from './child-templates.ts';
import type { PodTemplateFields } from './pod-template.ts';

interface Mounting {
  readonly name?: unknown;
  readonly image?: unknown;
  readonly mountPath?: unknown;
  readonly volumeMounts?: readonly { readonly name?: unknown; readonly mountPath?: unknown }[] | undefined;
}

interface Checked {
  /** Absent where pods always start again. */
  readonly restartPolicy?: string | undefined;
  readonly configMaps?: readonly string[] | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly sidecars?: readonly Mounting[] | undefined;
  readonly persistentVolumes?: readonly { readonly name: string; readonly mountPath: string }[] | undefined;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[] | undefined;
  readonly ports?: readonly { readonly name?: string | undefined }[] | undefined;
  readonly podTemplate?: PodTemplateFields | undefined;
}

type Context = z.core.$RefinementCtx;

/** Adds an issue for each image, name or port that the API server would refuse in the pod. */
export function checkPod(spec: Checked, context: Context): void {
  checkImages(spec, context);
  checkNames('sidecars', spec.sidecars, context);
  checkNames('persistentVolumes', spec.persistentVolumes, context);
  checkNames('ports', spec.ports, context);
}

/** Beside it, where Kubernetes checks a template; into a bare pod, volumes may come on its way into the cluster. */
export function checkVolumes(spec: Checked, context: Context): void {
  const template = spec.podTemplate?.spec ?? {};
  const known = volumesOf(spec, template);
  const lists: readonly (readonly [path: readonly string[], containers: readonly Mounting[]])[] = [
    [['sidecars'], spec.sidecars ?? []],
    ...['containers', 'initContainers'].map(
      (field) => [['podTemplate', 'spec', field], listOf(template[field])] as const,
    ),
  ];
  for (const [path, containers] of lists)
    for (const [index, container] of containers.entries()) checkMounts(container, [...path, index], { known, context });
}

function volumesOf(spec: Checked, template: Readonly<Record<string, unknown>>): ReadonlySet<unknown> {
  return new Set<unknown>([
    ...(spec.configMaps ?? []).map((name) => `config-${name}`),
    ...(spec.secrets ?? []).map((name) => `secret-${name}`),
    ...(spec.persistentVolumes ?? []).map(({ name }) => name),
    ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
    ...listOf(template['volumes']).map(({ name }) => name),
  ]);
}

function checkMounts(
  { volumeMounts }: Mounting,
  path: readonly (string | number)[],
  { known, context }: { readonly known: ReadonlySet<unknown>; readonly context: Context },
): void {
  const taken = new Set<unknown>();
  for (const [index, { name, mountPath }] of listOf(volumeMounts).entries()) {
    const at = [...path, 'volumeMounts', index];
    if (name !== undefined && !known.has(name))
      context.addIssue({
        code: 'custom',
        path: [...at, 'name'],
        message: `is not the name of a volume; known volumes: ${[...known].map(String).join(', ') || 'none'}`,
      });
    if (mountPath !== undefined && taken.has(mountPath))
      context.addIssue({ code: 'custom', path: [...at, 'mountPath'], message: 'is already used by another volume' });
    taken.add(mountPath);
  }
}

/** Only the main container, and sidecars beside it, have an image from elsewhere. */
function checkImages(spec: Checked, context: Context): void {
  const sidecars = (spec.sidecars ?? []).map(({ name }) => name);
  const completes = spec.restartPolicy !== undefined && spec.restartPolicy !== 'Always';
  const having = { containers: ['main', ...(completes ? [] : sidecars)], initContainers: completes ? sidecars : [] };
  for (const [field, names] of Object.entries(having)) {
    for (const [index, { name, image }] of listOf(spec.podTemplate?.spec?.[field]).entries()) {
      if (image !== undefined || names.includes(name)) continue;
      const path = ['podTemplate', 'spec', field, index, 'image'];
      const message = `is required: in this list only ${names.map(String).join(' and ') || 'sidecars'} may leave it out, because the spec specifies their image`;
      context.addIssue({ code: 'custom', path, message });
    }
  }
}

function checkNames(field: string, items: readonly { readonly name?: unknown }[] | undefined, context: Context): void {
  const taken = new Set<unknown>();
  for (const [index, { name }] of (items ?? []).entries()) {
    if (name !== undefined && taken.has(name))
      context.addIssue({ code: 'custom', path: [field, index, 'name'], message: 'is specified twice' });
    taken.add(name);
  }
}

/** Of what the API server does not look into, anything may be there. */
function listOf(value: unknown): readonly Mounting[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each) => typeof each === 'object' && each !== null) as readonly Mounting[];
}

interface Served {
  readonly ports?:
    | readonly {
        readonly containerPort: number;
        readonly servicePort?: number | undefined;
        readonly protocol: string;
      }[]
    | undefined;
}

/** For the kinds that make a Service: a container may name a port twice, a Service may not. */
export function checkServicePorts({ ports = [] }: Served, context: Context): void {
  const taken = new Set<string>();
  for (const [index, { containerPort, servicePort = containerPort, protocol }] of ports.entries()) {
    const id = `${servicePort}/${protocol}`;
    const path = ['ports', index, 'servicePort'];
    if (taken.has(id))
      context.addIssue({ code: 'custom', path, message: `port ${id} of the Service is specified twice` });
    taken.add(id);
  }
}

interface Claiming extends Checked {
  readonly volumeClaimTemplates?: ClaimTemplates | undefined;
}

/** A claim that only the template describes has its size from there. */
export function checkClaims(spec: Claiming, context: Context): void {
  const { persistentVolumes = [], volumeClaimTemplates: templates = [] } = spec;
  const own = new Set(persistentVolumes.map(({ name }) => name));
  for (const [index, { metadata, spec: claim }] of templates.entries()) {
    const path = ['volumeClaimTemplates', index];
    if (templates.findIndex((each) => each.metadata.name === metadata.name) < index)
      context.addIssue({ code: 'custom', path: [...path, 'metadata', 'name'], message: 'is specified twice' });
    if (own.has(metadata.name)) continue;
    for (const field of ['accessModes', 'resources'])
      if (claim?.[field] === undefined)
        context.addIssue({
          code: 'custom',
          path: [...path, 'spec', field],
          message: 'is required for a claim that persistentVolumes does not list',
        });
  }
  checkPlaces(spec, context);
}

/** No two volumes of the main container are at one place. */
function checkPlaces(spec: Claiming, context: Context): void {
  const { persistentVolumes = [], configMaps = [], secrets = [] } = spec;
  const places = new Set([
    ...configMaps.map((name) => `/etc/config/${name}`),
    ...secrets.map((name) => `/etc/secrets/${name}`),
  ]);
  for (const [index, { mountPath }] of persistentVolumes.entries()) {
    const path = ['persistentVolumes', index, 'mountPath'];
    if (places.has(mountPath)) context.addIssue({ code: 'custom', path, message: 'is already used by another volume' });
    places.add(mountPath);
  }
}
