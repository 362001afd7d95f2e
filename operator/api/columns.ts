/** What `kubectl get` shows of every kind; its own facts come between, with `-o wide`. */
import type { PrinterColumn } from './crd.ts';

/** Columns of a kind. `active`, `healthy`: what these two mean for it; `facts`: columns of its own. */
export function workloadColumns(
  active: string,
  healthy: string,
  facts: readonly PrinterColumn[],
): readonly PrinterColumn[] {
  return [
    { name: 'Active', type: 'boolean', jsonPath: '.status.active', description: active },
    { name: 'Healthy', type: 'boolean', jsonPath: '.status.healthy', description: healthy },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason", priority: 1 },
    ...facts,
    {
      name: 'Term',
      type: 'integer',
      jsonPath: '.status.controller.term',
      description: 'Term of the leader that wrote it last',
      priority: 1,
    },
    { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].message", priority: 1 },
  ];
}
