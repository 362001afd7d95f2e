/** Labels and annotations of what a workload makes besides its pods. Pure. */
import type { ChildTemplate } from '../api/child-templates.ts';
import type { CommonSpec } from '../api/workload.ts';

/** Those of the spec win over those of the template. */
export function metadataOf({ labels, annotations }: CommonSpec, template: ChildTemplate | undefined) {
  const { metadata } = template ?? {};
  return {
    labels: { ...metadata?.labels, ...labels },
    annotations: { ...metadata?.annotations, ...annotations },
  };
}
