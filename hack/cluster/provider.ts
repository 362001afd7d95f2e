/** Which kind of cluster `up` gives: the user's own, kind's, or ours. */

import { existsSync } from 'node:fs';
import { kindUp } from './kind.ts';
import { findMeans } from './prepare.ts';
import { isOurKubeconfig, kubeconfigPath } from './paths.ts';
import { duration, say } from './progress.ts';
import { up } from './up.ts';

export interface StartOptions {
  readonly names: readonly string[];
  readonly nodes: number;
  readonly simulated: boolean;
  readonly provider: string;
  readonly signal?: AbortSignal;
}

export async function startClusters(options: StartOptions): Promise<void> {
  const theirs = process.env['KUBECONFIG'];
  if (theirs && !isOurKubeconfig(theirs)) return useTheirs(theirs);
  if (options.provider === 'kind') return kindUp(options.names);
  if (options.provider !== 'own') throw new Error(`--provider is own or kind, not ${options.provider}`);
  const started = performance.now();
  const means = await findMeans(options.simulated, options.signal);
  const simulated = !means.realNodes;
  // All end before the first error is told: a cluster that failed has removed itself, the others are complete.
  const results = await Promise.allSettled(
    options.names.map(async (name) => {
      const outcome = await up({ ...options, ...means, name, simulated });
      say(`${name}: ${outcome} (${duration(performance.now() - started)})`);
    }),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  for (const name of options.names) process.stdout.write(`export KUBECONFIG=${kubeconfigPath(name)}\n`);
}

/** Neither started nor ended by us. */
async function useTheirs(path: string): Promise<void> {
  if (!path.split(':').some((each) => existsSync(each)))
    throw new Error(`KUBECONFIG is ${path}, which is not there: correct it or unset it`);
  const { KubeConfig, VersionApi } = await import('@kubernetes/client-node'); // slow to load: only where it is needed
  const config = new KubeConfig();
  config.loadFromDefault();
  try {
    const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
    say(
      `KUBECONFIG is set: using ${config.getCurrentCluster()?.server ?? 'its cluster'} (${gitVersion}); nothing is started`,
    );
  } catch (error) {
    throw new Error(
      `the cluster of KUBECONFIG=${path} does not answer: start it, or unset KUBECONFIG to get one of our own`,
      { cause: error },
    );
  }
  process.stdout.write(`export KUBECONFIG=${path}\n`);
}
