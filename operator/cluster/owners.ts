/** From a child to the custom resource that it was made for. */
import { labels } from '../api/group.ts';
import type { KubeObject } from './cluster-client.ts';
import type { Watched } from './namespaces.ts';

/** By the child's labels, as the caches of the kinds have it. */
export function customResourceOf(
  { metadata: { namespace = '', labels: own = {} } }: KubeObject,
  sources: readonly Watched<KubeObject>[],
): KubeObject | undefined {
  const source = sources.find(({ type }) => type.kind === own[labels.kind]);
  return source?.get({ namespace, name: own[labels.name] ?? '' });
}
