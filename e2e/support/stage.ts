/** Everything that a test needs to play through: a cluster with our CRDs, a store, controllers, kubectl. */
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ApiClient } from '../../hack/cluster/api.ts';
import { down } from '../../hack/cluster/down.ts';
import type { Controller, ControllerOptions } from '../../hack/lab/controller.ts';
import { startController } from '../../hack/lab/controller.ts';
import type { Kubectl } from '../../hack/lab/kubectl.ts';
import { kubectl } from '../../hack/lab/kubectl.ts';
import type { Redis } from '../../hack/lab/redis.ts';
import { startRedis } from '../../hack/lab/redis.ts';
import type { Cluster } from './cluster/index.ts';
import { startCluster, waitFor } from './cluster/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const exec = promisify(execFile);

export const TERM = 'highlander.plexobject.io/term';

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime?: string;
}

export interface Workload {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly status?: {
    readonly active?: boolean;
    readonly healthy?: boolean;
    readonly lastError?: string;
    readonly observedGeneration?: number;
    readonly restarts?: number;
    readonly readyReplicas?: number;
    readonly lastSuccessfulTime?: string;
    readonly conditions?: readonly Condition[];
    readonly controller?: { readonly tenant: string; readonly holder: string; readonly term: number };
  };
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
  };
  readonly status?: { readonly phase?: string };
}

export interface StageOptions {
  /** One of its own, which begins empty; default: the one that all files share. */
  readonly cluster?: string;
  readonly simulated?: boolean;
  readonly nodes?: number;
  /** Redis of its own unless told; or one that several stages share, which is not stopped. */
  readonly store?: 'redis' | 'kubernetes' | Redis;
}

export interface PodWish {
  readonly namespace?: string;
  /** Uid of the pod that it is to replace. */
  readonly not?: string;
  readonly timeoutMs?: number;
}

/** The one that all files of this lane share, one after another. Lanes are counted from 1. */
export const SHARED_CLUSTER = sharedCluster(Number(process.env['VITEST_POOL_ID'] ?? 1));

export function sharedCluster(lane: number): string {
  return lane === 1 ? 'e2e' : `e2e-${lane}`;
}

export class Stage {
  readonly cluster: Cluster;
  readonly kube: Kubectl;
  readonly redis: Redis | undefined;
  readonly #controllers: Controller[] = [];
  readonly #api: ApiClient;
  #keepsRedis = false;

  private constructor(cluster: Cluster, redis: Redis | undefined) {
    this.cluster = cluster;
    this.kube = kubectl(cluster.kubeconfigPath);
    this.redis = redis;
    this.#api = ApiClient.fromKubeconfig(cluster.kubeconfigPath);
  }

  static async open({
    cluster: name = SHARED_CLUSTER,
    simulated = false,
    nodes = 1,
    store = 'redis',
  }: StageOptions = {}): Promise<Stage> {
    if (name !== SHARED_CLUSTER) await down(name); // of a run that was killed
    const cluster = await startCluster({ name, simulated, nodes });
    const stage = new Stage(
      cluster,
      store === 'kubernetes' ? undefined : store === 'redis' ? await startRedis() : store,
    );
    stage.#keepsRedis = typeof store === 'object';
    await stage.kube.run('apply', '-f', join(ROOT, 'crds'));
    await stage.kube.run('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
    // The store is new, and nothing runs: a cluster that remembered tenants of the file before would wait for their pods.
    await stage.kube.run('delete', 'leases', '-A', '-l', 'highlander.plexobject.io/tenant');
    return stage;
  }

  /** From now on the API server enforces permits, as soon as it has heard of the policies. */
  async enforcePermits(): Promise<void> {
    const program = [join(ROOT, 'dist/main.mjs'), 'admission', '--storage-type', 'sqlite'];
    const { stdout } = await exec(join(ROOT, 'node_modules/.bin/node'), program);
    await this.kube.apply(stdout);
  }

  /** Ends the controllers and the store, then the cluster unless others share it or it was up before. */
  async close(): Promise<void> {
    await this.endControllers();
    if (!this.#keepsRedis) await this.redis?.stop();
    this.#api.close();
    if (this.cluster.name !== SHARED_CLUSTER && !this.cluster.reused) await this.cluster.stop();
  }

  async startController(name: string, more: Partial<ControllerOptions> = {}): Promise<Controller> {
    const store = this.redis ? `redis:\n  addr: "${this.redis.addr}"` : 'storageType: kubernetes';
    const controller = await startController({ name, kubeconfig: this.cluster.kubeconfigPath, config: store, ...more });
    this.#controllers.push(controller);
    return controller;
  }

  /** Ends all that run, the hard way unless told otherwise. */
  async endControllers(signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    await Promise.all(this.#controllers.splice(0).map((each) => each.end(signal)));
  }

  /** Ends the one that was started first. */
  async endFirst(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#controllers.shift()?.end(signal);
  }

  /** The one controller that leads. */
  leader(timeoutMs = 70_000): Promise<Controller> {
    return waitFor(
      'a leader',
      async () => {
        for (const each of this.#controllers) {
          const leads = await each.metric('k8_highlander_is_leader').catch(() => undefined);
          if (leads === 1) return each;
        }
        return undefined;
      },
      { timeoutMs, everyMs: 20 },
    );
  }

  pod(name: string, namespace = 'default'): Promise<Pod | undefined> {
    return this.#api.find<Pod>(`/api/v1/namespaces/${namespace}/pods/${name}`);
  }

  workload(name: string, namespace = 'default', plural = 'workloadprocesses'): Promise<Workload | undefined> {
    return this.#api.find<Workload>(`/apis/highlander.plexobject.io/v1/namespaces/${namespace}/${plural}/${name}`);
  }

  /** Any object, by the path after the namespace, such as `apis/apps/v1`, `deployments/name`. */
  object<T>(api: string, path: string, namespace = 'default'): Promise<T | undefined> {
    return this.#api.find<T>(`/${api}/namespaces/${namespace}/${path}`);
  }

  /** Pods that this workload has, those that are being deleted included. */
  async podsOf(kind: string, name: string, namespace = 'default'): Promise<readonly Pod[]> {
    const selector = encodeURIComponent(`highlander.plexobject.io/kind=${kind},highlander.plexobject.io/name=${name}`);
    const list = await this.#api.find<{ items: Pod[] }>(
      `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`,
    );
    return list?.items ?? [];
  }

  runningPod(name: string, { namespace = 'default', not = '', timeoutMs = 60_000 }: PodWish = {}): Promise<Pod> {
    return waitFor(
      `pod ${name} to run`,
      async () => {
        const pod = await this.pod(name, namespace);
        const runs = pod?.status?.phase === 'Running' && !pod.metadata.deletionTimestamp && pod.metadata.uid !== not;
        return runs ? pod : undefined;
      },
      { timeoutMs, everyMs: 50 },
    );
  }

  noPod(name: string, namespace = 'default'): Promise<true> {
    return waitFor(
      `pod ${name} to be gone`,
      async () => ((await this.pod(name, namespace)) ? undefined : (true as const)),
      { timeoutMs: 60_000 },
    );
  }

  /** The workload once its Ready condition has this reason at its current generation. */
  reason(name: string, reason: string, namespace = 'default', plural = 'workloadprocesses'): Promise<Workload> {
    return waitFor(
      `${name} to become ${reason}`,
      async () => {
        const found = await this.workload(name, namespace, plural);
        if (found?.status?.observedGeneration !== found?.metadata.generation) return undefined;
        return found?.status?.conditions?.some((each) => each.type === 'Ready' && each.reason === reason)
          ? found
          : undefined;
      },
      { timeoutMs: 60_000, everyMs: 50 },
    );
  }
}

export function termOf(pod: Pod | undefined): number {
  return Number(pod?.metadata.annotations?.[TERM] ?? 0);
}

/** A WorkloadProcess that runs this script; further lines of its spec are indented by two. */
export function processYaml(name: string, commands: readonly string[], spec = '', namespace = 'default'): string {
  return `apiVersion: highlander.plexobject.io/v1
kind: WorkloadProcess
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  image: busybox:latest
  script: {commands: ${JSON.stringify(commands)}}
${spec}`;
}
