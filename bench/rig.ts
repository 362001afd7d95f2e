/** What the benchmarks run on: a cluster with simulated nodes and our CRDs, Redis, controllers, a client like theirs. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '../e2e/support/cluster/index.ts';
import { ApiClient } from '../hack/cluster/api.ts';
import { down } from '../hack/cluster/down.ts';
import { waitFor } from '../hack/cluster/wait.ts';
import type { Controller } from '../hack/lab/controller.ts';
import { startController } from '../hack/lab/controller.ts';
import { kubectl } from '../hack/lab/kubectl.ts';
import type { Redis } from '../hack/lab/redis.ts';
import { startRedis } from '../hack/lab/redis.ts';
import { labels } from '../operator/api/group.ts';
import type { WorkloadProcess } from '../operator/api/process.ts';
import { processResource } from '../operator/api/process.ts';
import { core } from '../operator/cluster/cluster-client.ts';
import { HttpClusterClient } from '../operator/cluster/http-client.ts';
import { PooledKubeConfig } from '../operator/cluster/kube-config.ts';
import { systemClock } from '../operator/lib/clock.ts';
import { NAMESPACE, workload } from './objects.ts';
import { untilAborted } from './until-aborted.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CLUSTER = 'bench';
const WORKLOADS = `/apis/highlander.plexobject.io/v1/namespaces/${NAMESPACE}/workloadprocesses`;

export interface PairOptions {
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Two controllers of a tenant of their own, as they are meant to be run. */
export interface Pair {
  readonly leader: Controller;
  readonly standby: Controller;
  end(): Promise<void>;
}

export class Rig {
  readonly kubeconfig: string;
  readonly redis: Redis;
  /** The same code that the operator calls the API with, in this process. */
  readonly client: HttpClusterClient;
  readonly #api: ApiClient;
  /** Those that run or are being started. */
  readonly #controllers = new Set<Promise<Controller>>();
  readonly #signal: AbortSignal;

  private constructor(kubeconfig: string, redis: Redis, signal: AbortSignal) {
    this.kubeconfig = kubeconfig;
    this.redis = redis;
    const config = PooledKubeConfig.load({ path: kubeconfig });
    this.client = new HttpClusterClient({ config, clock: systemClock, userAgent: 'highlander-bench' });
    this.#api = ApiClient.fromKubeconfig(kubeconfig);
    this.#signal = signal;
  }

  /**
   * Runs `work` on a new rig until it ends or `signal` is aborted, and removes every trace of the rig in either case.
   * Rejects with the reason of an abort.
   */
  static async use<T>(signal: AbortSignal, work: (rig: Rig) => Promise<T>): Promise<T> {
    if (!existsSync(resolve(ROOT, 'dist/main.mjs'))) throw new Error('dist/ has no controller: run `make build`');
    let redis: Redis | undefined;
    let rig: Rig | undefined;
    await down(CLUSTER); // of a run that was killed
    try {
      const { kubeconfigPath } = await startCluster({ name: CLUSTER, simulated: true, signal });
      redis = await startRedis();
      rig = new Rig(kubeconfigPath, redis, signal);
      await rig.#installCrds();
      return await untilAborted(work(rig), signal);
    } finally {
      await rig?.close();
      await redis?.stop();
      await down(CLUSTER);
    }
  }

  async #installCrds(): Promise<void> {
    const kube = kubectl(this.kubeconfig);
    await kube.run('apply', '-f', resolve(ROOT, 'crds'));
    await kube.run('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  }

  async close(): Promise<void> {
    for (const each of await Promise.allSettled(this.#controllers))
      if (each.status === 'fulfilled') await each.value.end('SIGKILL');
    await this.client.close();
    this.#api.close();
  }

  /** Resolves when it is ready. Whoever ends it earlier than the rig does so by `end`. */
  async startController(tenant: string, name: string, { kubeconfig, env = {} }: PairOptions = {}): Promise<Controller> {
    this.#signal.throwIfAborted();
    const starting = startController({
      name,
      kubeconfig: kubeconfig ?? this.kubeconfig,
      config: `tenant: "${tenant}"\nredis:\n  addr: "${this.redis.addr}"`,
      env,
    });
    this.#controllers.add(starting);
    const forget = () => this.#controllers.delete(starting);
    const controller = await starting;
    return {
      ...controller,
      end: async (signal) => {
        forget();
        return controller.end(signal);
      },
    };
  }

  async startPair(tenant: string, options: PairOptions = {}): Promise<Pair> {
    const leader = await this.startController(tenant, `${tenant}-1`, options);
    await leader.logged('Acquired the lease');
    const standby = await this.startController(tenant, `${tenant}-2`, options);
    return {
      leader,
      standby,
      end: async () => {
        await standby.end('SIGTERM');
        await leader.end('SIGTERM');
      },
    };
  }

  /** Creates workloads and returns when all of them are healthy and there is nothing left to write. */
  async settleWorkloads(tenant: string, count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.client.create(processResource, workload(`${tenant}-${n}`, tenant));
    await waitFor(
      `${count} workloads to be healthy`,
      async () => {
        const { items } = await this.client.list<WorkloadProcess>(processResource, selector(tenant));
        return items.filter(({ status }) => status?.healthy).length === count;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    await sleep(5000); // the last events go out at 10 a second
  }

  /** Deletes a tenant's workloads and returns when their pods are gone too. Its controllers must be running. */
  async clear(tenant: string): Promise<void> {
    const query = `labelSelector=${encodeURIComponent(selector(tenant).labelSelector)}`;
    await this.#api.request('DELETE', `${WORKLOADS}?${query}`, { timeoutMs: 60_000 });
    await waitFor(
      `the pods of tenant ${tenant} to be gone`,
      async () => (await this.client.list(core.pods, selector(tenant))).items.length === 0,
      { timeoutMs: 120_000, everyMs: 500 },
    );
  }
}

function selector(tenant: string): { namespace: string; labelSelector: string } {
  return { namespace: NAMESPACE, labelSelector: `${labels.tenant}=${tenant}` };
}
