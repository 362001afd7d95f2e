/** One real cluster for all files of a lane: started when it is first needed, and ended unless it was up before. */
import type { TestProject } from 'vitest/node';
import { down } from '../../hack/cluster/down.ts';
import { listStates } from '../../hack/cluster/state.ts';
import { startCluster } from './cluster/index.ts';
import { sharedCluster } from './stage.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Pods really run: there are logs, and kubelets that say when containers ended. */
    readonly realNodes: boolean;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const wereUp = new Set(listStates().map(({ name }) => name));
  const { real } = await startCluster({ name: sharedCluster(1) });
  project.provide('realNodes', real);
  return async () => {
    const lanes = Array.from({ length: Number(project.config.maxWorkers) }, (_, index) => sharedCluster(index + 1));
    await Promise.all(lanes.filter((name) => !wereUp.has(name)).map(down));
  };
}
