/** What a WorkloadService asks for: a Deployment and, when it has ports, a Service. Pure. */
import type { Deployment, Service } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { ServiceSpec } from '../../api/service.ts';
import type { Claim, DesiredChild } from '../../reconcile/child.ts';
import { activationOf, isResumed, makeChild, podTemplateOf, selectorLabels } from '../../reconcile/child.ts';
import { probesOf, readinessSeconds } from '../../reconcile/probes.ts';
import { servicePorts } from '../../reconcile/service-ports.ts';

/** One instance: the old one has ended before the next one starts. The `null` takes out what another strategy left. */
const ONE_AT_A_TIME = { type: 'Recreate', rollingUpdate: null };
const ONE_BY_ONE = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } };

export function desired(claim: Claim, spec: ServiceSpec): readonly DesiredChild[] {
  const hasPorts = (spec.ports ?? []).length > 0;
  return [desiredDeployment(claim, spec), ...(hasPorts ? [desiredService(claim, spec)] : [])];
}

function desiredDeployment(claim: Claim, spec: ServiceSpec): DesiredChild {
  const { owner, stamp } = claim;
  const live = claim.live.get<Deployment>(childTypes.deployments, owner.name);
  const template = podTemplateOf(claim, spec, { restartPolicy: 'Always', main: probesOf(spec) });
  const resumes = !spec.suspend && isResumed(live, live?.spec.replicas === 0, stamp);
  const replicas = spec.suspend ? 0 : spec.replicas;
  return makeChild(claim, {
    type: childTypes.deployments,
    name: owner.name,
    labels: spec.labels,
    annotations: spec.annotations,
    activation: activationOf(live, template, resumes, stamp),
    waitsForPods: true,
    spec: (fencingToken): Deployment['spec'] => ({
      ...(replicas === undefined ? {} : { replicas }),
      progressDeadlineSeconds: readinessSeconds(spec),
      strategy: (spec.replicas ?? 1) > 1 ? ONE_BY_ONE : ONE_AT_A_TIME,
      selector: { matchLabels: selectorLabels(claim) },
      template: template(fencingToken),
    }),
  });
}

function desiredService(claim: Claim, spec: ServiceSpec): DesiredChild {
  return makeChild(claim, {
    type: childTypes.services,
    name: claim.owner.name,
    labels: spec.labels,
    annotations: spec.annotations,
    spec: (): Service['spec'] => ({
      type: 'ClusterIP',
      selector: selectorLabels(claim),
      ports: servicePorts(spec.ports),
    }),
  });
}
