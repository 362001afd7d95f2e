/** The only place that names the drivers; the one that is chosen is loaded, the others cost nothing. */
import type { CellStore } from './cell-store.ts';
import type { KubernetesOptions } from './kubernetes.ts';
import type { PostgresOptions } from './postgres.ts';
import type { RedisOptions } from './redis.ts';
import type { SpannerOptions } from './spanner-connection.ts';
import type { SqliteOptions } from './sqlite.ts';

/** Which store, and what its driver has to know. */
export type StoreOptions =
  | { readonly kind: 'redis'; readonly redis: RedisOptions }
  | { readonly kind: 'db'; readonly db: PostgresOptions }
  | { readonly kind: 'sqlite'; readonly sqlite: SqliteOptions }
  | { readonly kind: 'spanner'; readonly spanner: SpannerOptions }
  | { readonly kind: 'kubernetes'; readonly kubernetes: KubernetesOptions };

/** Does not connect: a store that cannot be reached makes its calls fail, not this one. */
export async function openStore(options: StoreOptions): Promise<CellStore> {
  switch (options.kind) {
    case 'redis':
      return new (await import('./redis.ts')).RedisStore(options.redis);
    case 'db':
      return new (await import('./postgres.ts')).PostgresStore(options.db);
    case 'sqlite':
      return new (await import('./sqlite.ts')).SqliteStore(options.sqlite);
    case 'spanner':
      return new (await import('./spanner.ts')).SpannerStore(options.spanner);
    case 'kubernetes':
      return new (await import('./kubernetes.ts')).KubernetesStore(options.kubernetes);
  }
}
