/** The API server that the configuration names, as every verb reaches it. */
import { HttpClusterClient } from '../cluster/http-client.ts';
import { PooledKubeConfig } from '../cluster/kube-config.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import { newRedactor } from '../lib/redactor.ts';
import { version } from '../version.ts';

/** How an API server is reached; whoever opened it closes it. */
export interface Connection {
  readonly kubeConfig: PooledKubeConfig;
  readonly client: HttpClusterClient;
}

/** `who`: for the API server's log. Throws when there is no kubeconfig, or it is wrong. */
export function connectTo({ cluster, secrets }: Pick<Config, 'cluster' | 'secrets'>, who: string): Connection {
  const { kubeconfig, context, variables } = cluster;
  const kubeConfig = PooledKubeConfig.load({
    variables,
    ...(kubeconfig === undefined ? {} : { path: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  const userAgent = `highlander/${version} (${who})`;
  const redact = newRedactor(secrets);
  return { kubeConfig, client: new HttpClusterClient({ config: kubeConfig, clock: systemClock, userAgent, redact }) };
}
