/** What Kubernetes knows in the objects that templates describe, from the models of its client: a line of `field:type` for each type. */
import * as models from '@kubernetes/client-node';
import { TEMPLATE_TYPES } from '../operator/api/kubernetes-fields.ts';

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
type Model = { readonly getAttributeTypeMap?: () => readonly Attribute[] };

/** Of the templates' types and all that they hold, by name. */
export function kubernetesFields(): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  const open = [...TEMPLATE_TYPES];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const attributes = (models as unknown as Readonly<Record<string, Model>>)[name]?.getAttributeTypeMap?.();
    if (!attributes || found.has(name)) continue;
    found.set(name, attributes.map(({ baseName, type }) => `${baseName}:${shortened(type)}`).join(' '));
    open.push(...attributes.flatMap(({ type }) => type.match(/V\d\w+/g) ?? []));
  }
  return Object.fromEntries([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `[]X` for a list, `{}X` for a map. */
function shortened(type: string): string {
  return type.replace(/^Array<(.*)>$/, '[]$1').replace(/^\{ \[key: string\]: (.*); \}$/, '{}$1');
}
