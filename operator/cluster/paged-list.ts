/** Whole lists from pages. */
import { hasCode, type KubeObject, type ListOptions, type ObjectList, type ResourceType } from './cluster-client.ts';
import { apiVersionOf, type QueryValue } from './resource-path.ts';

interface Page<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly T[] | null;
}

type Query = Readonly<Record<string, QueryValue>>;

const PAGE_SIZE = 500;

/**
 * Follows `continue` to the end. When that expires half-way, as it does after some minutes, the list is asked for once
 * more, whole. Items get the `apiVersion` and `kind` that lists leave out, so that they equal what a watch hands out.
 */
export async function listAll<T extends KubeObject>(
  type: ResourceType,
  options: ListOptions,
  page: (query: Query) => Promise<Page<T>>,
): Promise<ObjectList<T>> {
  const { labelSelector, fieldSelector, resourceVersion } = options;
  const base = { labelSelector, fieldSelector };
  const limit = options.pageSize ?? PAGE_SIZE;
  const first = await page({ ...base, resourceVersion, limit });
  const items = itemsOf(type, first);
  let last = first;
  while (last.metadata.continue) {
    try {
      last = await page({ ...base, limit, continue: last.metadata.continue });
    } catch (error) {
      if (!hasCode(error, 410)) throw error;
      const whole = await page(base);
      return { resourceVersion: whole.metadata.resourceVersion ?? '', items: itemsOf(type, whole) };
    }
    for (const item of itemsOf(type, last)) items.push(item);
  }
  return { resourceVersion: last.metadata.resourceVersion ?? '', items };
}

function itemsOf<T extends KubeObject>(type: ResourceType, page: Page<T>): T[] {
  const items = [...(page.items ?? [])];
  const kind = type.kind || page.kind?.replace(/List$/, '') || '';
  for (const item of items) {
    item.apiVersion ??= apiVersionOf(type);
    item.kind ??= kind;
  }
  return items;
}
