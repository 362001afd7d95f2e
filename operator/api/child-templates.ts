/** Templates of what a workload makes besides its pods: whatever Kubernetes can say of them and the spec's own fields do not. */
import * as z from 'zod';
import { annotationMap, described, labelMap } from './fields.ts';

/** Finishes the message about a template's field that the operator sets itself. */
export const MANAGED = 'is managed by the operator and cannot be set here';

/** An object's spec, as Kubernetes documents it. `managed`: fields that others decide, with the field to use instead. */
function openSpec(managed: Readonly<Record<string, string | undefined>>) {
  const spec = z.record(z.string(), z.unknown()).superRefine((value, context) => {
    for (const [field, instead] of Object.entries(managed))
      if (field in value)
        context.addIssue({ code: 'custom', path: [field], message: instead ? `${MANAGED}: use ${instead}` : MANAGED });
  });
  return spec.meta({ 'x-kubernetes-preserve-unknown-fields': true });
}

const metadata = z
  .object({
    labels: labelMap('Labels for it. Labels in spec.labels take precedence. Default: none').optional(),
    annotations: annotationMap(
      'Annotations for it. Annotations in spec.annotations take precedence. Default: none',
    ).optional(),
  })
  .meta({ description: 'Its labels and annotations.' });

function template(spec: ReturnType<typeof openSpec>, what: string, example: string) {
  return z
    .object({
      metadata: metadata.optional(),
      spec: described(spec, `A ${what}Spec, as Kubernetes documents it.`).optional(),
    })
    .meta({
      description:
        `Additional fields of the ${what}. The spec's own fields take precedence; fields that the operator manages (replicas, selectors and so on) are rejected. ` +
        `Default: none. Example: ${example}`,
    });
}

const serviceSpec = openSpec({ selector: undefined, externalName: undefined }).refine(
  ({ type }) => type !== 'ExternalName',
  { error: 'must not be ExternalName: the Service routes to the pods of the workload', path: ['type'] },
);

/** Schema of `serviceTemplate`: what the Service has beside the spec's own fields. */
export const serviceTemplate = template(
  serviceSpec,
  'Service',
  '{metadata: {annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}}, spec: {type: LoadBalancer}}',
);

/** Schema of `deploymentTemplate`: what the Deployment has beside the spec's own fields. */
export const deploymentTemplate = template(
  openSpec({
    replicas: 'spec.replicas',
    selector: undefined,
    template: 'spec.podTemplate',
    paused: 'spec.suspend',
    progressDeadlineSeconds: 'spec.readinessTimeout',
  }),
  'Deployment',
  '{spec: {minReadySeconds: 10, revisionHistoryLimit: 2}}',
);

/** Schema of `statefulSetTemplate`: what the StatefulSet has beside the spec's own fields. */
export const statefulSetTemplate = template(
  openSpec({
    replicas: 'spec.replicas',
    selector: undefined,
    template: 'spec.podTemplate',
    serviceName: 'spec.serviceName',
    volumeClaimTemplates: 'spec.volumeClaimTemplates',
    podManagementPolicy: 'spec.podManagementPolicy',
    persistentVolumeClaimRetentionPolicy: 'spec.persistentVolumeClaimRetentionPolicy',
  }),
  'StatefulSet',
  '{spec: {updateStrategy: {type: OnDelete}}}',
);

const claimMetadata = metadata
  .extend({
    name: described(
      z.string().min(1).max(63),
      'Name of the volume: one of persistentVolumes, or another one, which podTemplate mounts. Required. Example: data',
    ),
  })
  .meta({ description: 'Name, labels and annotations of the claim.' });

const claimTemplate = z.object({
  metadata: claimMetadata,
  spec: described(openSpec({}), 'A PersistentVolumeClaimSpec, as Kubernetes documents it.').optional(),
});

/** Schema of `volumeClaimTemplates`: claims as Kubernetes writes them, 20 at most. */
export const volumeClaimTemplates = z
  .array(claimTemplate)
  .max(20)
  .meta({
    description:
      'Additional fields of the claims, by the names of their volumes. Fields of persistentVolumes take precedence. Cannot be changed later, except for a larger size. ' +
      'Default: none. Example: [{metadata: {name: data, labels: {backup: "yes"}}, spec: {volumeMode: Filesystem}}]',
    'x-kubernetes-list-type': 'atomic',
  });

/** A template as the schema returns it: metadata and a spec that is checked against Kubernetes' own fields. */
export type ChildTemplate = z.output<typeof serviceTemplate>;
/** The list of claim templates as the schema returns it. */
export type ClaimTemplates = z.output<typeof volumeClaimTemplates>;
