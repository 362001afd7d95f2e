/** The scenes: each one thing that the project promises, on the cluster that the demo started. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { waitFor } from '../cluster/wait.ts';
import type { Controller } from '../lab/controller.ts';
import type { Kubectl } from '../lab/kubectl.ts';
import type { Steps } from './steps.ts';
import { seconds } from './steps.ts';

const SAMPLE = 'manifests/samples/workloadprocess.yaml';
const POD = 'singleton-processor-pod';
const TERM = 'highlander.plexobject.io/term';

interface Pod {
  readonly metadata: {
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status?: { readonly phase?: string };
}

export interface Scene {
  readonly steps: Steps;
  readonly kube: Kubectl;
  readonly controllers: readonly Controller[];
}

export async function applySample({ steps, kube }: Scene): Promise<void> {
  await steps.step('kubectl apply: one process that may run only once', async () => {
    const yaml = readFileSync(join(resolve(import.meta.dirname, '../..'), SAMPLE), 'utf8');
    await steps.show(`kubectl apply -f ${SAMPLE}`, kube.apply(yaml));
    await running(kube);
  });
  await steps.step('It runs, exactly once', async () => {
    await waitFor(
      'the status',
      async () => (await kube.run('get', 'workloadprocesses')).includes('true     true') || undefined,
    );
    await steps.show('kubectl get workloadprocesses', kube.run('get', 'workloadprocesses'));
    await steps.show(`kubectl logs ${POD}`, logs(kube));
  });
}

export async function killLeader({ steps, kube, controllers }: Scene): Promise<void> {
  await steps.step('kill -9 the leader: the standby adopts the pod when the lease of 15 s has ended', async () => {
    const leader = await leaderOf(controllers);
    const before = await running(kube);
    steps.tell(`${leader.name} (pid ${leader.pid}) leads. kill -9 ${leader.pid}`);
    const killed = performance.now();
    await leader.end('SIGKILL');
    const after = await waitFor('the standby to adopt the pod', async () => adoptedSince(before, await pod(kube)), {
      timeoutMs: 30_000,
    });
    const next = await leaderOf(controllers.filter((each) => each !== leader));
    steps.tell(`${next.name} leads since ${seconds(performance.now() - killed)} after the kill.`);
    if (after.metadata.uid !== before.metadata.uid) throw new Error('the pod was replaced');
    steps.tell(`The pod was not restarted: uid ${before.metadata.uid} before and after.`);
  });
}

export async function deletePod({ steps, kube }: Scene): Promise<void> {
  await steps.step('kubectl delete pod: it comes back, after the old one has ended', async () => {
    const before = await running(kube);
    await steps.show(`kubectl delete pod ${POD}`, kube.run('delete', 'pod', POD, '--wait=false'));
    const after = await waitFor(
      'a new pod',
      async () => {
        const now = await pod(kube);
        return now?.metadata.uid !== before.metadata.uid && now?.status?.phase === 'Running' ? now : undefined;
      },
      { timeoutMs: 60_000 },
    );
    steps.tell(`New pod: uid ${after.metadata.uid}.`);
    await steps.show('kubectl get workloadprocesses -o wide', kube.run('get', 'workloadprocesses', '-o', 'wide'));
    await steps.show(
      'kubectl get events',
      kube.run('get', 'events', '--field-selector', 'involvedObject.kind=WorkloadProcess'),
    );
  });
}

async function leaderOf(controllers: readonly Controller[]): Promise<Controller> {
  return waitFor('a leader', async () => {
    for (const each of controllers) if ((await each.metric('k8_highlander_is_leader')) === 1) return each;
    return undefined;
  });
}

function pod(kube: Kubectl): Promise<Pod | undefined> {
  return kube.get<Pod>('pod', POD);
}

function running(kube: Kubectl): Promise<Pod> {
  return waitFor(
    'the pod to run',
    async () => {
      const now = await pod(kube);
      return now?.status?.phase === 'Running' && !now.metadata.deletionTimestamp ? now : undefined;
    },
    { timeoutMs: 60_000 },
  );
}

function logs(kube: Kubectl): Promise<string> {
  return waitFor('the first line of the log', async () => (await kube.run('logs', POD)) || undefined);
}

function adoptedSince(before: Pod, now: Pod | undefined): Pod | undefined {
  const term = (of: Pod) => Number(of.metadata.annotations?.[TERM] ?? 0);
  return now && term(now) > term(before) ? now : undefined;
}
