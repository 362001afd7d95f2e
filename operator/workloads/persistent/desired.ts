/** What a WorkloadPersistent asks for: a StatefulSet with its claims, and the Service that names its pods. Pure. */
import type { Service, StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import type { Claim, DesiredChild } from '../../reconcile/child.ts';
import {
  activationOf,
  isResumed,
  makeChild,
  podTemplateOf,
  selectorLabels,
  unspecifiedReplicas,
} from '../../reconcile/child.ts';
import { withoutNulls } from '../../reconcile/contains.ts';
import { metadataOf } from '../../reconcile/child-metadata.ts';
import { probesOf } from '../../reconcile/probes.ts';
import { servicePorts } from '../../reconcile/service-ports.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';
import { withClaimTemplates } from './claim-templates.ts';
import { assertChangeable, claimTemplates, retention, volumeMounts } from './claims.ts';

/** Throws `TerminalError` ImmutableField when the StatefulSet that is there cannot become what is asked for. */
export function desired(claim: Claim, spec: PersistentSpec): readonly DesiredChild[] {
  return [desiredSet(claim, spec), ...desiredService(claim, spec)];
}

export function serviceNameOf(name: string, spec: PersistentSpec): string {
  return spec.serviceName ?? name;
}

function desiredSet(claim: Claim, spec: PersistentSpec): DesiredChild {
  const { owner, stamp } = claim;
  const live = claim.live.get<StatefulSet>(childTypes.statefulSets, owner.name);
  const main = { ...probesOf(spec), ...volumeMounts(spec) };
  const template = podTemplateOf(claim, spec, { restartPolicy: 'Always', main });
  const replicas = spec.suspend ? 0 : spec.replicas;
  const volumeClaimTemplates = withClaimTemplates(claimTemplates(spec), spec);
  const rest = {
    ...withoutNulls(spec.statefulSetTemplate?.spec),
    ...(replicas === undefined ? {} : { replicas }),
    serviceName: serviceNameOf(owner.name, spec),
    podManagementPolicy: spec.podManagementPolicy,
    persistentVolumeClaimRetentionPolicy: retention(spec),
    selector: { matchLabels: selectorLabels(claim) },
    ...(volumeClaimTemplates.length > 0 ? { volumeClaimTemplates } : {}),
  };
  if (live) assertChangeable(live, rest);
  return makeChild(claim, {
    type: childTypes.statefulSets,
    name: owner.name,
    ...metadataOf(spec, spec.statefulSetTemplate),
    activation: activationOf(live, template, !spec.suspend && isResumed(live, live?.spec.replicas === 0, stamp), stamp),
    spec: (fencingToken): StatefulSet['spec'] => ({
      ...rest,
      ...(replicas === undefined && fencingToken !== '' && unspecifiedReplicas(live)),
      template: template(fencingToken),
    }),
  });
}

/**
 * The one that gives each pod a name of its own, and beside it one that is reached from outside, where the template asks for
 * such a one and serviceName names another.
 */
function desiredService(claim: Claim, spec: PersistentSpec): readonly DesiredChild[] {
  const { name } = claim.owner;
  const governing = serviceNameOf(name, spec);
  const ports = servicePorts(spec.ports);
  const isPlain = ports.some(({ port, targetPort }) => port !== targetPort);
  if (!isReachedFromOutside(spec))
    return serviceOf(claim, spec, { name: governing, isHeadless: !isPlain, isFront: true });
  if (governing === name) return serviceOf(claim, spec, { name, isHeadless: false, isFront: true });
  return [
    ...serviceOf(claim, spec, { name: governing, isHeadless: true, isFront: false }),
    ...serviceOf(claim, spec, { name, isHeadless: false, isFront: true }),
  ];
}

function isReachedFromOutside({ serviceTemplate }: PersistentSpec): boolean {
  const { type = 'ClusterIP', clusterIP = 'None' } = serviceTemplate?.spec ?? {};
  return type !== 'ClusterIP' || clusterIP !== 'None';
}

interface Sort {
  readonly name: string;
  readonly isHeadless: boolean;
  /** It is what `serviceTemplate` is about. */
  readonly isFront: boolean;
}

/** None while one of the other sort is still there: whether a Service is headless cannot be changed, so that one goes first. */
function serviceOf(claim: Claim, spec: PersistentSpec, { name, isHeadless, isFront }: Sort): readonly DesiredChild[] {
  const ports = servicePorts(spec.ports);
  const template = isFront ? spec.serviceTemplate : undefined;
  const live = claim.live.get<Service>(childTypes.services, name);
  if (live && (live.spec.clusterIP === 'None') !== isHeadless) return [];
  const service = makeChild(claim, {
    type: childTypes.services,
    name,
    ...metadataOf(spec, template),
    spec: (): Service['spec'] => ({
      type: 'ClusterIP',
      ...strategicMerge<Service['spec']>(template?.spec, {
        ...(isHeadless ? { clusterIP: 'None' } : {}),
        selector: selectorLabels(claim),
        ...(ports.length > 0 ? { ports } : {}),
      }),
    }),
  });
  return [service];
}
