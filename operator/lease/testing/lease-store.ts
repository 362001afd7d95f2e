import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { HttpClusterClient } from '../../cluster/http-client.ts';
import { PooledKubeConfig } from '../../cluster/kube-config.ts';
import { systemClock } from '../../lib/clock.ts';
import type { CellStore } from '../cell-store.ts';
import { KubernetesStore, type LeaseClient } from '../kubernetes.ts';

export function clientOf(kubeconfig: string): HttpClusterClient {
  const config = PooledKubeConfig.load({ path: kubeconfig });
  return new HttpClusterClient({ config, clock: systemClock, userAgent: 'highlander-test' });
}

/** In the namespace `default`. Closes its client too. */
export function leaseStore(kubeconfig: string, client = clientOf(kubeconfig)): CellStore {
  const store = new KubernetesStore({
    client: client satisfies ClusterClient satisfies LeaseClient,
    namespace: 'default',
    serverTime: () => client.serverClock.at(),
  });
  const close = store.close.bind(store);
  return Object.assign(store, { close: () => close().then(() => client.close()) });
}
