/** Which Services a WorkloadPersistent has, by name: others may have that of its own name. Pure. */
import type { StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { serviceTemplateOf } from '../../api/service-fields.ts';
import type { Claim } from '../../reconcile/child.ts';
import { serviceName } from '../../reconcile/service-names.ts';
import { servicePorts } from '../../reconcile/service-ports.ts';

/** Names of the workload's Services. */
export interface ServiceNames {
  /** Part of the pods' host names; a StatefulSet keeps it for good. */
  readonly governing: string;
  /** Translates ports, or is reached from outside: the same, or one beside it that leaves the pods their names. */
  readonly front?: string;
}

/** Which Services there are to be. */
export function serviceNames(claim: Claim, spec: PersistentSpec): ServiceNames {
  const { name } = claim.owner;
  const governing = governingName(claim, spec);
  const gaveWay = spec.serviceName === undefined && governing === headlessName(name);
  const isOutside = isReachedFromOutside(spec);
  if (!isOutside && !translatesPorts(spec)) return { governing };
  if (governing === name || !(isOutside || gaveWay)) return { governing, front: governing };
  const yieldsTo = gaveWay ? (['workload', 'stranger'] as const) : (['workload'] as const);
  return { governing, front: serviceName(claim, { name, otherwise: `${name}-front`, yieldsTo }) };
}

function governingName(claim: Claim, spec: PersistentSpec): string {
  const { name } = claim.owner;
  const kept = claim.live.get<StatefulSet>(childTypes.statefulSets, name)?.spec.serviceName;
  return (
    spec.serviceName ??
    (kept || serviceName(claim, { name, otherwise: headlessName(name), yieldsTo: ['workload', 'stranger'] }))
  );
}

function headlessName(name: string): string {
  return `${name}-headless`;
}

function translatesPorts({ ports }: PersistentSpec): boolean {
  return servicePorts(ports).some(({ port, targetPort }) => port !== targetPort);
}

function isReachedFromOutside(spec: PersistentSpec): boolean {
  const { type = 'ClusterIP', clusterIP = 'None' } = serviceTemplateOf(spec)?.spec ?? {};
  return type !== 'ClusterIP' || clusterIP !== 'None';
}
