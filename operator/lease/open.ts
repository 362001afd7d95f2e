/** The only place that names the drivers; the one that is chosen is loaded, the others cost nothing. */
import type { CellStore } from './cell-store.ts';
import type { KubernetesOptions } from './kubernetes.ts';
import type { RedisOptions } from './redis.ts';

export type StoreOptions =
  | { readonly kind: 'redis'; readonly redis: RedisOptions }
  | { readonly kind: 'kubernetes'; readonly kubernetes: KubernetesOptions };

/** Does not connect: a store that cannot be reached makes its calls fail, not this one. */
export async function openStore(options: StoreOptions): Promise<CellStore> {
  switch (options.kind) {
    case 'redis':
      return new (await import('./redis.ts')).RedisStore(options.redis);
    case 'kubernetes':
      return new (await import('./kubernetes.ts')).KubernetesStore(options.kubernetes);
  }
}
