/** One real cluster for all files: it is started once, and ended unless it was up before. */
import type { TestProject } from 'vitest/node';
import { startCluster } from './cluster/index.ts';
import { SHARED_CLUSTER } from './stage.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Pods really run: there are logs, and kubelets that say when containers ended. */
    readonly realNodes: boolean;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster({ name: SHARED_CLUSTER });
  project.provide('realNodes', cluster.real);
  return async () => {
    if (!cluster.reused) await cluster.stop();
  };
}
