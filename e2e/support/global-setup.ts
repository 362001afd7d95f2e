/** One real cluster for all files: it is started once, and ended unless it was up before. */
import { startCluster } from './cluster/index.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const cluster = await startCluster({ name: 'e2e' });
  return async () => {
    if (!cluster.reused) await cluster.stop();
  };
}
