/**
 * Shows what the project does, on a real cluster: a process that runs once, a leader that is killed, a pod that is deleted.
 *   main.ts [--keep | --stop]
 */
import { resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import type { Cluster } from '../../e2e/support/cluster/index.ts';
import { startCluster } from '../../e2e/support/cluster/index.ts';
import { down } from '../cluster/down.ts';
import { startTime } from '../cluster/processes.ts';
import type { Controller } from '../lab/controller.ts';
import { startController } from '../lab/controller.ts';
import { kubectl } from '../lab/kubectl.ts';
import type { Redis } from '../lab/redis.ts';
import { startRedis } from '../lab/redis.ts';
import { installFor } from '../lab/tools.ts';
import { remember, stopKept } from './kept.ts';
import { applySample, deletePod, killLeader } from './scene.ts';
import { Steps, seconds } from './steps.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CLUSTER = 'demo';

const { values } = parseArgs({ options: { keep: { type: 'boolean' }, stop: { type: 'boolean' } } });
const steps = new Steps();
let cluster: Cluster | undefined;
let redis: Redis | undefined;
const controllers: Controller[] = [];

async function start(): Promise<Cluster> {
  await installFor('demo');
  const up = await steps.step(
    'Start a Kubernetes cluster with a node that really runs pods (built once, then cached)',
    () => startCluster({ name: CLUSTER }),
  );
  cluster = up;
  const kube = kubectl(up.kubeconfigPath);
  redis = await steps.step('Start Redis, the external lock', async () => {
    return startRedis();
  });
  await steps.step('Install the custom resource definitions', () =>
    steps.show('kubectl apply -f crds/', kube.run('apply', '-f', resolve(ROOT, 'crds'))),
  );
  const config = `redis:\n  addr: "${redis.addr}"`;
  await steps.step('Start two controllers: one leads, the other stands by', async () => {
    for (const name of ['controller-1', 'controller-2']) {
      const controller = await startController({ name, kubeconfig: up.kubeconfigPath, config });
      controllers.push(controller);
      steps.tell(`${name}: pid ${controller.pid}, ready after ${seconds(controller.readyMs)}, ${controller.url}`);
    }
  });
  return up;
}

async function stop(): Promise<void> {
  for (const controller of controllers) await controller.end('SIGTERM');
  await redis?.stop();
  await cluster?.stop();
}

function keep(up: Cluster): void {
  const processes = [
    ...controllers.map((each) => ({ pid: each.pid, command: [each.name], log: each.folder })),
    redis?.process,
  ];
  remember({
    processes: processes.flatMap((each) => (each ? [{ ...each, started: startTime(each.pid) ?? '' }] : [])),
    folders: controllers.map((each) => each.folder),
  });
  console.log(styleText('bold', '\nEverything is still running. Look around:'));
  steps.tell(`export KUBECONFIG=${up.kubeconfigPath}
kubectl get workloadprocesses,pods,events
kubectl edit workloadprocess singleton-processor
curl ${controllers.at(-1)?.url}/metrics
make demo-stop      # ends it`);
}

/** A demo that was kept running, or ended half-way. A new store beside an old cluster would look like lost data. */
async function stopEarlier(): Promise<boolean> {
  const kept = await stopKept();
  await down(CLUSTER);
  return kept;
}

async function demo(): Promise<void> {
  const began = performance.now();
  await stopEarlier();
  const up = await start();
  const scene = { steps, kube: kubectl(up.kubeconfigPath), controllers };
  await applySample(scene);
  await killLeader(scene);
  await deletePod(scene);
  if (values.keep) return keep(up);
  await steps.step('Stop everything', stop);
  console.log(`\nThe demo took ${seconds(performance.now() - began)}.`);
}

if (values.stop) {
  if (!(await stopEarlier())) console.log('No demo was left running.');
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    await demo();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await stop();
    process.exitCode = 1;
  }
}
