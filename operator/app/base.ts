/** What every part of a controller is made with. */
import type { HttpClusterClient } from '../cluster/http-client.ts';
import type { PooledKubeConfig } from '../cluster/kube-config.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface Base {
  readonly config: Config;
  /** Unique per start of a process. */
  readonly identity: string;
  readonly clock: Clock;
  /** For what is compared with, or written as, times on objects. */
  readonly clusterClock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly kubeConfig: PooledKubeConfig;
  readonly client: HttpClusterClient;
}

/** The cluster that a controller works in. */
export interface Place {
  readonly id: string;
  readonly name: string;
}
