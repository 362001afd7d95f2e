/** What the API server asks of containers and pods as wholes. Pure. */
import { compareQuantities } from '../lib/quantity.ts';
import type { TemplateFlaw } from './kubernetes-fields.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of a workload: what its main container has besides the template's part of it. */
export interface SpecFields {
  readonly healthCheckPath?: unknown;
  readonly healthCheckPort?: unknown;
  readonly resources?: unknown;
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];

/** The image and the amounts of the main container are completed by the spec's own. */
export function containerRules(container: Json, spec: SpecFields): readonly TemplateFlaw[] {
  const isMain = container['name'] === 'main';
  const hasHealthCheck = isMain && (spec.healthCheckPath ?? spec.healthCheckPort ?? null) !== null;
  return [
    ...PROBES.flatMap((name) => probeFlaws(name, container[name], hasHealthCheck)),
    ...(isMain ? [] : imageFlaws(container['image'])),
    ...resourceFlaws(container['resources'], isMain && isObject(spec.resources)),
    ...twice(container['ports']).map((index) => ({ path: ['ports', index, 'name'], fix: 'must be unique' })),
  ];
}

function probeFlaws(name: string, probe: unknown, hasHealthCheck: boolean): readonly TemplateFlaw[] {
  if (!isObject(probe)) return [];
  const { successThreshold: threshold, terminationGracePeriodSeconds: grace } = probe;
  const isReadiness = name === 'readinessProbe';
  const found: TemplateFlaw[] = [];
  if (!hasHealthCheck && !HANDLERS.some((handler) => isObject(probe[handler])))
    found.push({ path: [name], fix: `must have one of ${HANDLERS.join(', ')}` });
  if (!isReadiness && typeof threshold === 'number' && threshold > 1)
    found.push({ path: [name, 'successThreshold'], fix: 'must be 1' });
  if (isReadiness && typeof grace === 'number')
    found.push({ path: [name, 'terminationGracePeriodSeconds'], fix: 'is not allowed in a readinessProbe' });
  return found;
}

function imageFlaws(image: unknown): readonly TemplateFlaw[] {
  if (typeof image !== 'string' || (image !== '' && image.trim() === image)) return [];
  return [{ path: ['image'], fix: 'must be the name of an image, without white space around it' }];
}

const STANDARD = /^(?:cpu|memory|ephemeral-storage|hugepages-.+)$|^[^/]+\/[^/]+$/;

function resourceFlaws(resources: unknown, isCompleted: boolean): readonly TemplateFlaw[] {
  if (!isObject(resources)) return [];
  const { requests, limits } = resources;
  const [asked, most] = [isObject(requests) ? requests : {}, isObject(limits) ? limits : {}];
  const unknown = Object.entries({ requests: asked, limits: most }).flatMap(([field, amounts]) =>
    Object.keys(amounts)
      .filter((name) => !STANDARD.test(name))
      .map((name) => ({
        path: ['resources', field, name],
        fix: 'is not a resource of Kubernetes; name others with a domain (example: example.com/gpu)',
      })),
  );
  const names = isCompleted ? Object.keys(asked).filter((name) => name.includes('/')) : Object.keys(asked);
  const more = names.flatMap((name): readonly TemplateFlaw[] => {
    const [one, other] = [asked[name], most[name]] as (string | number | undefined)[];
    const path = ['resources', 'requests', name];
    if (one === undefined || other === undefined)
      return one !== undefined && name.includes('/') ? [{ path, fix: 'requires an equal limit' }] : [];
    return (compareQuantities(one, other) ?? 0) > 0 ? [{ path, fix: 'must not be more than the limit' }] : [];
  });
  return [...unknown, ...more];
}

/** What fields of a pod ask of each other, and duplicate names. */
export function podRules(pod: Json): readonly TemplateFlaw[] {
  const { dnsPolicy, dnsConfig, hostPID, shareProcessNamespace } = pod;
  const nameservers = isObject(dnsConfig) ? dnsConfig['nameservers'] : undefined;
  return [
    ...(dnsPolicy === 'None' && !Array.isArray(nameservers)
      ? [{ path: ['dnsConfig'], fix: 'must have nameservers with dnsPolicy None' }]
      : []),
    ...(hostPID === true && shareProcessNamespace === true
      ? [{ path: ['shareProcessNamespace'], fix: 'is not allowed together with hostPID' }]
      : []),
    ...twice(pod['volumes']).map((index) => ({ path: ['volumes', index, 'name'], fix: 'must be unique' })),
    ...initFlaws(pod),
  ];
}

/** Containers that end before the main one starts have no life to be watched over. */
function initFlaws({ initContainers, containers }: Json): readonly TemplateFlaw[] {
  const others = new Set(['main', ...listOf(containers).map(({ name }) => name)]);
  return listOf(initContainers).flatMap((container, index) => {
    const at = ['initContainers', index] as const;
    const fields = container['restartPolicy'] === 'Always' ? [] : ['lifecycle', ...PROBES];
    return [
      ...(others.has(container['name']) ? [{ path: [...at, 'name'], fix: 'is the name of another container' }] : []),
      ...fields
        .filter((field) => isObject(container[field]))
        .map((field) => ({
          path: [...at, field],
          fix: 'is only allowed in init containers with restartPolicy Always',
        })),
    ];
  });
}

/** Indexes of items whose name stands above already. */
function twice(list: unknown): readonly number[] {
  const names = listOf(list).map(({ name }) => name);
  return names.flatMap((name, index) => (name !== undefined && names.indexOf(name) < index ? [index] : []));
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map((item: unknown) => (isObject(item) ? item : {})) : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
