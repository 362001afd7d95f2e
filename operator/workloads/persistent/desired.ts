/** What a WorkloadPersistent asks for: a StatefulSet with its claims, and the Service that names its pods. Pure. */
import type { Service, StatefulSet } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { PersistentSpec } from '../../api/persistent.ts';
import type { Claim, DesiredChild } from '../../reconcile/child.ts';
import { activationOf, isResumed, makeChild, podTemplateOf, selectorLabels } from '../../reconcile/child.ts';
import { probesOf } from '../../reconcile/probes.ts';
import { servicePorts } from '../../reconcile/service-ports.ts';
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
  const volumeClaimTemplates = claimTemplates(spec);
  const rest = {
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
    labels: spec.labels,
    annotations: spec.annotations,
    activation: activationOf(live, template, !spec.suspend && isResumed(live, live?.spec.replicas === 0, stamp), stamp),
    spec: (fencingToken): StatefulSet['spec'] => ({ ...rest, template: template(fencingToken) }),
  });
}

/** None while one of the other sort is still there: whether a Service is headless cannot be changed, so that one goes first. */
function desiredService(claim: Claim, spec: PersistentSpec): readonly DesiredChild[] {
  const name = serviceNameOf(claim.owner.name, spec);
  const ports = servicePorts(spec.ports);
  const isHeadless = ports.every(({ port, targetPort }) => port === targetPort);
  const live = claim.live.get<Service>(childTypes.services, name);
  if (live && (live.spec.clusterIP === 'None') !== isHeadless) return [];
  const service = makeChild(claim, {
    type: childTypes.services,
    name,
    labels: spec.labels,
    annotations: spec.annotations,
    spec: (): Service['spec'] => ({
      type: 'ClusterIP',
      ...(isHeadless ? { clusterIP: 'None' } : {}),
      selector: selectorLabels(claim),
      ...(ports.length > 0 ? { ports } : {}),
    }),
  });
  return [service];
}
