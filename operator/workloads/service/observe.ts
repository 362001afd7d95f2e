/** What a WorkloadService's children say about it. Pure. */
import type { Deployment, Service } from '../../api/children.ts';
import { childTypes } from '../../api/children.ts';
import type { ServiceSpec, ServiceStatus } from '../../api/service.ts';
import { SERVICE_KIND } from '../../api/service.ts';
import type { Facts, Sight } from '../../reconcile/child-look.ts';
import { tenantOf } from '../../reconcile/metadata.ts';
import { podsRefused } from '../../reconcile/missing-pod.ts';
import { isObserved, parkedVerdict, replicaFacts, replicaVerdict, troubleOf } from '../../reconcile/replicas.ts';
import type { Report } from '../../reconcile/status.ts';

/** The part of the status that only this kind has. */
export function facts(sight: Sight): Facts & ServiceStatus {
  const { owner, live } = sight;
  const serviceName = live.list<Service>(childTypes.services)[0]?.metadata.name;
  const replicas = replicaFacts(deploymentOf(sight), tenantOf({ metadata: owner }), SERVICE_KIND, sight);
  return { ...replicas, serviceName };
}

/** How far the pods have come. */
export function verdict(sight: Sight, spec: ServiceSpec): Report {
  const live = deploymentOf(sight);
  if (!live) return { state: 'working', reason: 'Creating', message: 'Creating the Deployment' };
  if (spec.suspend) return parkedVerdict(sight);
  if (!isObserved(live, sight))
    return {
      state: 'working',
      reason: 'Progressing',
      message: 'Waiting for the Deployment controller to observe the change',
    };
  return tooLate(live, sight) ?? refusedPods(live) ?? replicaVerdict(live, sight);
}

function deploymentOf({ owner, live }: Sight): Deployment | undefined {
  return live.get<Deployment>(childTypes.deployments, owner.name);
}

function tooLate({ status }: Deployment, sight: Sight): Report | undefined {
  const progress = status?.conditions?.find(({ type }) => type === 'Progressing');
  if (progress?.reason !== 'ProgressDeadlineExceeded') return undefined;
  const why = troubleOf(sight)?.message ?? progress.message ?? 'no reason reported';
  const message = `The pods did not become ready within spec.readinessTimeout: ${why}`;
  return { state: 'stalled', reason: 'ReadinessTimeout', message, problem: message };
}

function refusedPods({ status }: Deployment): Report | undefined {
  const failure = status?.conditions?.find((each) => each.type === 'ReplicaFailure' && each.status === 'True');
  if (!failure) return undefined;
  return podsRefused(failure.message ?? failure.reason ?? 'no reason reported');
}
