/** `highlander admission`: what the API server is to enforce for a tenant, ready for `kubectl apply -f -`. */
import { stringify } from 'yaml';
import { admission } from '../api/admission.ts';
import type { Config } from '../config/config.ts';

/** The policies of the configured tenant, as YAML documents or a List in JSON. */
export function printAdmission({ tenant, namespace }: Config, output: 'yaml' | 'json'): string {
  const items = admission(tenant, namespace);
  if (output === 'json') return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`;
  return items.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
