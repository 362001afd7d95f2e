/** Fields of a Service that are written often enough to have a place in the spec itself. */
import * as z from 'zod';
import type { ChildTemplate } from './child-templates.ts';
import { annotationMap, described } from './fields.ts';

/** Schema fields that WorkloadService and WorkloadPersistent share for their Service. */
export const serviceFields = {
  serviceType: described(
    z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
    'Who can reach the Service: only the cluster (ClusterIP), or others through its nodes or a load balancer. Takes precedence over serviceTemplate. Default: ClusterIP',
  ).optional(),
  serviceAnnotations: annotationMap(
    'Annotations for the Service. They take precedence over those in serviceTemplate. Default: none. Example: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}',
  ).optional(),
};

interface ServiceFields {
  readonly serviceType?: string | undefined;
  readonly serviceAnnotations?: Readonly<Record<string, string>> | undefined;
  readonly serviceTemplate?: ChildTemplate | undefined;
}

/** `serviceTemplate` with what the spec itself says of the Service. */
export function serviceTemplateOf(spec: ServiceFields): ChildTemplate | undefined {
  const { serviceType, serviceAnnotations, serviceTemplate } = spec;
  if (serviceType === undefined && serviceAnnotations === undefined) return serviceTemplate;
  const annotations = { ...serviceTemplate?.metadata?.annotations, ...serviceAnnotations };
  return {
    metadata: { ...serviceTemplate?.metadata, annotations },
    spec: { ...serviceTemplate?.spec, ...(serviceType !== undefined && { type: serviceType }) },
  };
}
