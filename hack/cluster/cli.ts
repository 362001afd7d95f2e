/** Command line of `make cluster` and its relatives. */

import { parseArgs } from 'node:util';
import { clusterNames, down } from './down.ts';
import { kindDown } from './kind.ts';
import { mustRead, nodeIsReady, startNodeProcess, stopNodeProcess } from './parts.ts';
import { prepare } from './prepare.ts';
import { say } from './progress.ts';
import { startClusters } from './provider.ts';
import { serveTestImage } from './registry.ts';
import { showStatus } from './status.ts';

const USAGE = `usage: node hack/cluster/cli.ts VERB

  prepare                      build and unpack what clusters need, into the cache
  up                           start a cluster, or its missing parts
     --clusters N              N clusters at once: cluster1, cluster2 ...
     --name NAME               name of the cluster (cluster1)
     --nodes N                 nodes in each cluster (1)
     --simulated               simulated nodes, which run no containers: for large numbers of pods
     --provider kind           use Docker's kind instead of the built-in provider
  down [NAME...]               end these clusters of this checkout, or all of them
  status                       list running clusters
  node stop|start CLUSTER NODE power off a node, or start it again
  load IMAGE...                serve a test image under these names to all nodes
`;

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(130);
    say(`\n${name}: removing what was started (repeat the signal to leave at once)`);
    stop.abort(new Error('interrupted'));
  });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      clusters: { type: 'string', default: '1' },
      nodes: { type: 'string', default: '1' },
      name: { type: 'string', default: 'cluster1' },
      simulated: { type: 'boolean', default: false },
      provider: { type: 'string', default: 'own' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [verb, ...rest] = positionals;
  if (values.help || verb === undefined) return void process.stdout.write(USAGE);
  const verbs: Record<string, () => Promise<void> | void> = {
    prepare: () => prepare(stop.signal),
    up: () =>
      startClusters({ ...values, names: clusterNamesFor(values), nodes: Number(values.nodes), signal: stop.signal }),
    down: () => endClusters(rest),
    status: showStatus,
    load: () => loadImages(rest),
    node: () => changeNode(rest),
  };
  const work = verbs[verb];
  if (!work) throw new Error(`unknown verb "${verb}"\n${USAGE}`);
  await work();
}

function clusterNamesFor({ clusters, name }: { clusters: string; name: string }): string[] {
  const count = Number(clusters);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--clusters ${clusters}: must be a number from 1`);
  return count === 1 ? [name] : Array.from({ length: count }, (_, index) => `cluster${index + 1}`);
}

async function loadImages(names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new Error('missing image names, under which to serve a test image');
  await serveTestImage(names);
}

async function endClusters(names: readonly string[]): Promise<void> {
  const wanted = names.length > 0 ? names : clusterNames();
  await Promise.all(wanted.map((name) => down(name)));
  if (names.length === 0) await kindDown();
  say(wanted.length > 0 ? `down: ${wanted.join(', ')}` : 'no cluster of this checkout is up');
}

async function changeNode([verb, cluster = '', node = '']: readonly string[]): Promise<void> {
  mustRead(cluster);
  if (verb === 'stop') return stopNodeProcess(cluster, node);
  if (verb !== 'start') throw new Error(`node stop|start, not ${verb}`);
  await startNodeProcess(cluster, node);
  await nodeIsReady(cluster, node, 60_000, stop.signal);
}

try {
  await main();
} catch (error) {
  say(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
