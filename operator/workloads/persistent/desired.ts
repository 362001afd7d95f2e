/** What a WorkloadPersistent asks for: a StatefulSet with its claims, and the Service that names its pods. Pure. */
import type { Service, StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import { serviceTemplateOf } from '../../api/service-fields.ts';
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
import { servicePorts, withoutEmpty } from '../../reconcile/service-ports.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';
import type { ServiceNames } from './services.ts';
import { serviceNames } from './services.ts';
import { claimsOf } from './claim-templates.ts';
import { assertChangeable, retention, volumeMounts, withSizesOf } from './claims.ts';

/**
 * Of a new one the Services come first where it is yet to be found out which name is free: the StatefulSet keeps it for good.
 * Throws `TerminalError` ImmutableField or ClaimCannotShrink when the StatefulSet that is there cannot become what is asked for.
 */
export function desired(claim: Claim, spec: PersistentSpec): readonly DesiredChild[] {
  const names = serviceNames(claim, spec);
  const set = desiredSet(claim, spec, names.governing);
  const services = desiredServices(claim, spec, names);
  return liveSet(claim) || spec.serviceName !== undefined ? [set, ...services] : [...services, set];
}

function liveSet({ live, owner }: Claim): StatefulSet | undefined {
  return live.get<StatefulSet>(childTypes.statefulSets, owner.name);
}

type Strategy = NonNullable<StatefulSet['spec']['updateStrategy']>;

function desiredSet(claim: Claim, spec: PersistentSpec, serviceName: string): DesiredChild {
  const { owner, stamp } = claim;
  const live = liveSet(claim);
  const main = { ...probesOf(spec), ...volumeMounts(spec) };
  const template = podTemplateOf(claim, spec, { restartPolicy: 'Always', main });
  const replicas = spec.suspend ? 0 : spec.replicas;
  const volumeClaimTemplates = withSizesOf(live, claimsOf(spec));
  const rest = {
    ...withoutNulls(spec.statefulSetTemplate?.spec),
    ...(spec.updateStrategy && { updateStrategy: spec.updateStrategy as Strategy }),
    ...(replicas === undefined ? {} : { replicas }),
    serviceName,
    podManagementPolicy: spec.podManagementPolicy,
    persistentVolumeClaimRetentionPolicy: retention(spec),
    selector: { matchLabels: selectorLabels(claim) },
    ...(volumeClaimTemplates.length > 0 ? { volumeClaimTemplates } : {}),
  };
  if (live) assertChangeable(live, rest, spec);
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

function desiredServices(claim: Claim, spec: PersistentSpec, { governing, front }: ServiceNames) {
  if (front === undefined) return serviceOf(claim, spec, { name: governing, isHeadless: true, isFront: true });
  if (front === governing) return serviceOf(claim, spec, { name: front, isHeadless: false, isFront: true });
  return [
    ...serviceOf(claim, spec, { name: governing, isHeadless: true, isFront: false }),
    ...serviceOf(claim, spec, { name: front, isHeadless: false, isFront: true }),
  ];
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
  const template = isFront ? serviceTemplateOf(spec) : undefined;
  const live = claim.live.get<Service>(childTypes.services, name);
  if (live && (live.spec.clusterIP === 'None') !== isHeadless) return [];
  const service = makeChild(claim, {
    type: childTypes.services,
    name,
    ...metadataOf(spec, template),
    spec: (): Service['spec'] => ({
      type: 'ClusterIP',
      ...strategicMerge<Service['spec']>(withoutEmpty(template?.spec), {
        ...(isHeadless ? { clusterIP: 'None' } : {}),
        selector: selectorLabels(claim),
        ...(ports.length > 0 ? { ports } : {}),
      }),
    }),
  });
  return [service];
}
