/** What every part of a controller is made with. */
import type { ClusterClient } from './cluster/cluster-client.ts';
import type { ServerClock } from './cluster/server-clock.ts';
import type { Config } from './config/config.ts';
import type { Random } from './lib/backoff.ts';
import type { Clock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** The parts that all others share. */
export interface Base {
  readonly config: Config;
  /** Unique per start of a process. */
  readonly identity: string;
  readonly clock: Clock;
  /** For what is compared with, or written as, times on objects. */
  readonly clusterClock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly random: Random;
  readonly client: ClusterClient & { readonly serverClock: ServerClock };
}
