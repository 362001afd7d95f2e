/** What a WorkloadService asks for: a Deployment and, when it has ports, a Service. Pure. */
import type { Deployment, Service } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import { serviceTemplateOf } from '../../api/service-fields.ts';
import type { ServiceSpec } from '../../api/service.ts';
import { asksForService } from '../../api/service.ts';
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
import { probesOf, readinessSeconds } from '../../reconcile/probes.ts';
import { serviceName } from '../../reconcile/service-names.ts';
import { servicePorts, withoutEmpty } from '../../reconcile/service-ports.ts';
import { strategicMerge } from '../../reconcile/strategic-merge.ts';

/** One instance: the old one has ended before the next one starts. The `null` takes out what another strategy left. */
const ONE_AT_A_TIME = { type: 'Recreate', rollingUpdate: null };
/** Of the Service, where a WorkloadPersistent has that of the workload's own name. */
const SUFFIX = '-service';
const ONE_BY_ONE = { maxSurge: '25%', maxUnavailable: '25%' };

/** The children. Throws `TerminalError` for a spec that cannot be rendered. */
export function desired(claim: Claim, spec: ServiceSpec): readonly DesiredChild[] {
  return [desiredDeployment(claim, spec), ...(asksForService(spec) ? [desiredService(claim, spec)] : [])];
}

type Strategy = NonNullable<Deployment['spec']['strategy']>;

/** As far as a single instance leaves a choice. */
function strategyOf({ replicas = 1, deploymentTemplate }: ServiceSpec): Strategy {
  const theirs = (deploymentTemplate?.spec?.['strategy'] ?? {}) as Strategy;
  if (replicas <= 1 || theirs.type === 'Recreate') return ONE_AT_A_TIME;
  return { type: 'RollingUpdate', rollingUpdate: { ...ONE_BY_ONE, ...theirs.rollingUpdate } };
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
    ...metadataOf(spec, spec.deploymentTemplate),
    activation: activationOf(live, template, resumes, stamp),
    waitsForPods: true,
    spec: (fencingToken): Deployment['spec'] => ({
      ...(replicas === undefined && fencingToken !== '' && unspecifiedReplicas(live)),
      ...withoutNulls(spec.deploymentTemplate?.spec),
      ...(replicas === undefined ? {} : { replicas }),
      progressDeadlineSeconds: readinessSeconds(spec),
      strategy: strategyOf(spec),
      selector: { matchLabels: selectorLabels(claim) },
      template: template(fencingToken),
    }),
  });
}

/** The one of its name may belong to a WorkloadPersistent, whose pods cannot do without. */
function desiredService(claim: Claim, spec: ServiceSpec): DesiredChild {
  const { name } = claim.owner;
  const otherwise = `${name.slice(0, 63 - SUFFIX.length)}${SUFFIX}`;
  return makeChild(claim, {
    type: childTypes.services,
    name: serviceName(claim, { name, otherwise, yieldsTo: ['workload'] }),
    ...metadataOf(spec, serviceTemplateOf(spec)),
    spec: (): Service['spec'] => ({
      type: 'ClusterIP',
      ...strategicMerge<Service['spec']>(withoutEmpty(serviceTemplateOf(spec)?.spec), {
        selector: selectorLabels(claim),
        ports: servicePorts(spec.ports),
      }),
    }),
  });
}
