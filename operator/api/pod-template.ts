/** `podTemplate`: everything about a pod that the spec's own fields do not say. */
import * as z from 'zod';
import { MANAGED } from './child-templates.ts';
import { annotationMap, described, labelMap } from './fields.ts';
import { RESERVED_ENV } from './reserved-env.ts';

const named = z.looseObject({ name: z.string('is required').min(1) });
const container = named.extend({ env: z.array(named).optional() });
const containers = z.array(container).superRefine((all, context) => {
  const twice = all.find(({ name }, index) => all.findIndex((other) => other.name === name) !== index);
  if (twice) context.addIssue({ code: 'custom', message: `container name ${twice.name} is specified twice` });
  for (const { name, env = [] } of all) {
    const reserved = env.find((each) => RESERVED_ENV.some((taken) => taken === each.name));
    if (reserved)
      context.addIssue({ code: 'custom', message: `container ${name}: ${reserved.name} is set by the operator` });
  }
});

/** Decided by the kind, or by the scheduler. */
const TAKEN = ['restartPolicy', 'nodeName', 'ephemeralContainers'] as const;

const podSpec = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  for (const field of TAKEN) if (field in value) context.addIssue({ code: 'custom', path: [field], message: MANAGED });
  const grace = value['terminationGracePeriodSeconds'] ?? 0;
  if (typeof grace !== 'number' || !Number.isInteger(grace) || grace < 0)
    context.addIssue({ code: 'custom', path: ['terminationGracePeriodSeconds'], message: 'must be a whole number' });
  for (const list of ['containers', 'initContainers']) {
    const { error } = containers.optional().safeParse(value[list]);
    for (const { path, message } of error?.issues ?? [])
      context.addIssue({ code: 'custom', path: [list, ...path], message });
  }
});

/** Schema of `podTemplate`. */
export const podTemplate = z
  .object({
    metadata: z
      .object({
        labels: labelMap('Labels for the pod. Labels in spec.labels take precedence. Default: none').optional(),
        annotations: annotationMap(
          'Annotations for the pod. Annotations in spec.annotations take precedence. Default: none',
        ).optional(),
      })
      .meta({ description: 'Labels and annotations of the pod.' })
      .optional(),
    spec: described(
      podSpec.meta({ 'x-kubernetes-preserve-unknown-fields': true }),
      'A PodSpec, as Kubernetes documents it. Containers are merged by name (main is the main container), variables and volumes by name, mounts by path. ' +
        'Example: {serviceAccountName: app, tolerations: [{key: gpu, operator: Exists}], containers: [{name: main, envFrom: [{secretRef: {name: app}}]}]}',
    ).optional(),
  })
  .meta({
    description:
      "Additional fields of the pod: tolerations, affinity, imagePullSecrets, serviceAccountName, volumes, init containers, probes and so on. The spec's own " +
      "fields take precedence over it, and it takes precedence over the operator's defaults. Default: none",
  });

/** A `podTemplate` as the schema returns it. */
export type PodTemplateFields = z.output<typeof podTemplate>;
