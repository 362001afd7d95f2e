/** Several clusters, one store, the same workloads in all of them: what a tenant looks like that is to survive a cluster. */
import type { ExecFileException } from 'node:child_process';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Controller, ControllerOptions } from '../../hack/lab/controller.ts';
import type { Redis } from '../../hack/lab/redis.ts';
import { startRedis } from '../../hack/lab/redis.ts';
import type { LeaseRecord } from '../../operator/leadership/lease-record.ts';
import { TenantDesk } from '../../operator/leadership/tenant-desk.ts';
import { openStore } from '../../operator/lease/open.ts';
import { FaultProxy } from '../../operator/lease/testing/fault-proxy.ts';
import type { ContainerRecorder, ContainerTime } from './cluster/index.ts';
import { overlaps, waitFor } from './cluster/index.ts';
import type { Workload } from './stage.ts';
import { SHARED_CLUSTER, Stage, termOf } from './stage.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export const TIMING = { ttlMs: 6000, renewDeadlineMs: 4000, retryPeriodMs: 1000 };
const TOKEN = 'of no use anywhere else';
const SETTINGS = `lease: {ttl: 6s, renewDeadline: 4s, retryPeriod: 1s}\napi: {token: "${TOKEN}"}`;

/** What the clusters are called, in their order. */
const NAMES = ['east', 'west', 'north'];

const SCOPE = 'highlander.plexobject.io/scope';

export type StartOptions = Partial<Pick<ControllerOptions, 'config' | 'awaitReady' | 'kubeconfig' | 'env'>>;

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** Ends at once when told to. */
const LOOP = 'trap "exit 0" TERM; while true; do sleep 0.1; done';

/** Ends when it is killed, after its grace of 5 s. */
export const STUBBORN = 'trap "" TERM; while true; do sleep 0.1; done';

/** Kind, name, further lines of its spec, and what it runs. */
export type Sample = readonly [kind: string, name: string, spec: string, script?: string];

/** One of each kind that runs all the time. */
const WORKLOADS: readonly Sample[] = [
  ['WorkloadProcess', 'p', ''],
  ['WorkloadService', 's', '  replicas: 1\n'],
  ['WorkloadPersistent', 't', '  replicas: 1\n  serviceName: t\n'],
];

export interface Side {
  readonly stage: Stage;
  /** Between this cluster's controllers and the store. */
  readonly toStore: FaultProxy;
  readonly recorder: ContainerRecorder;
}

export class Clusters {
  readonly redis: Redis;
  /** For files of a test. */
  readonly folder = mkdtempSync(join(tmpdir(), 'highlander-clusters-'));
  readonly stages: readonly Stage[];
  readonly east: Stage;
  readonly west: Stage;
  readonly #sides: readonly Side[];
  readonly #samples: readonly Sample[];

  private constructor(redis: Redis, sides: readonly [Side, Side, ...Side[]], samples: readonly Sample[]) {
    this.redis = redis;
    this.#samples = samples;
    this.#sides = sides;
    this.stages = sides.map(({ stage }) => stage);
    this.east = sides[0].stage;
    this.west = sides[1].stage;
  }

  /** `samples`: what all clusters are to run; `fenced`: whether their API servers enforce permits; `nodes`: of each. */
  static async open({
    fenced = true,
    samples = WORKLOADS,
    names = [SHARED_CLUSTER, 'e2e-west'],
    nodes = 1,
  } = {}): Promise<Clusters> {
    const redis = await startRedis();
    const sides: Side[] = [];
    for (const cluster of names) {
      const stage = await Stage.open({ cluster, store: redis, nodes });
      if (fenced) await stage.enforcePermits();
      for (const sample of samples) await stage.kube.apply(yaml(sample));
      const [host = '', port = ''] = redis.addr.split(':');
      const toStore = await FaultProxy.start({ host, port: Number(port) });
      sides.push({ stage, toStore, recorder: await stage.cluster.recordContainers('default') });
    }
    return new Clusters(redis, sides as unknown as [Side, Side, ...Side[]], samples);
  }

  async close(): Promise<void> {
    for (const { stage, toStore, recorder } of this.#sides) {
      recorder.stop();
      await stage.endControllers();
      for (const plural of ['workloadprocesses', 'workloadservices', 'workloadpersistents', 'workloadcronjobs'])
        await stage.kube.run('delete', plural, '--all', '--wait=false');
      await stage.kube.run('delete', 'validatingadmissionpolicies,validatingadmissionpolicybindings', '--all');
      await toStore[Symbol.asyncDispose]();
      await stage.close();
    }
    await this.redis.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  sideOf(stage: Stage): Side {
    const found = this.#sides.find((side) => side.stage === stage);
    if (!found) throw new Error('none of these clusters');
    return found;
  }

  startController(stage: Stage, name: string, { config = '', ...more } = {} as StartOptions): Promise<Controller> {
    const { toStore } = this.sideOf(stage);
    const store = `redis:\n  addr: "127.0.0.1:${toStore.address.port}"\n${SETTINGS}\n${config}`;
    const env = { HIGHLANDER_CLUSTER_NAME: NAMES[this.stages.indexOf(stage)] ?? '' };
    return stage.startController(name, { ...more, env: { ...env, ...more.env }, config: store });
  }

  /** The lease as it stands in the store. */
  async record(): Promise<LeaseRecord | undefined> {
    const store = await openStore({ kind: 'redis', redis: { addr: this.redis.addr, keyPrefix: '' } });
    try {
      return await new TenantDesk(store, 'default', { timeoutMs: 5000 }).record();
    } finally {
      await store.close();
    }
  }

  async applyAll(stage: Stage): Promise<void> {
    for (const sample of this.#samples) await stage.kube.apply(yaml(sample));
  }

  /** In all clusters, as GitOps would. */
  async apply(sample: Sample): Promise<void> {
    for (const { stage } of this.#sides) await stage.kube.apply(yaml(sample));
  }

  /** Runs a verb of the command line, as somebody who can reach the store. */
  async highlander(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const settings = [
      '--redis-addr',
      this.redis.addr,
      '--lease-ttl',
      '6s',
      '--lease-renew-deadline',
      '4s',
      '--lease-retry-period',
      '1s',
    ];
    return runHighlander([...words, ...settings]);
  }

  /** Asks a controller for a hand-over; what it says. */
  async post({ url }: Controller, wish: object): Promise<unknown> {
    const response = await fetch(`${url}/api/v1/leadership/handover`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(wish),
    });
    return response.json();
  }

  /** The process's status once it is ready for this reason. */
  async reason(stage: Stage, reason: string): Promise<Workload['status']> {
    return (await stage.reason('p', reason)).status;
  }

  /** Resolves when all workloads run there. */
  async active(stage: Stage, samples = this.#samples): Promise<void> {
    for (const [kind, name] of samples) {
      await waitFor(
        `${kind} ${name} to run in ${stage.cluster.name}`,
        async () => {
          const pods = await stage.podsOf(kind, name);
          return pods.some((pod) => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp) || undefined;
        },
        { timeoutMs: 120_000, everyMs: 50 },
      );
    }
  }

  /** Resolves when the tenant is known to be shared: from then on a permit limits its workloads. */
  async shared(): Promise<void> {
    for (const { stage } of this.#sides) {
      await waitFor(`a permit in ${stage.cluster.name}`, async () => {
        const path = 'leases/highlander-permit-default';
        const permit = await stage.object<Annotated>('apis/coordination.k8s.io/v1', path);
        return permit?.metadata.annotations?.[SCOPE] === 'multi' || undefined;
      });
    }
  }

  /** Of all pods of the workloads, those that are ending included. */
  async uids(stage: Stage): Promise<readonly string[]> {
    const pods = await Promise.all(this.#samples.map(([kind, name]) => stage.podsOf(kind, name)));
    return pods
      .flat()
      .map(({ metadata }) => metadata.uid)
      .toSorted();
  }

  /** Of the workloads, what runs by the kubelet: a pod whose containers have ended may be there for another moment. */
  async running(stage: Stage): Promise<readonly ContainerTime[]> {
    const times = await Promise.all(
      this.#samples.map((sample) => stage.cluster.containerTimes('default', { labels: labelsOf(sample) })),
    );
    return times.flat().filter(({ finishedAt }) => finishedAt === undefined);
  }

  /** Resolves when a controller of the cluster leads in a later term, and has taken over what runs there. */
  async adopted(stage: Stage, before: number): Promise<void> {
    await waitFor(`a term after ${before} in ${stage.cluster.name}`, async () => {
      const pod = await stage.pod('p-pod');
      return termOf(pod) > before || undefined;
    });
  }

  /** Ends all controllers; the last of each cluster takes its workloads along. */
  async end(): Promise<void> {
    for (const { stage, toStore } of this.#sides) {
      toStore.restore();
      await stage.endControllers('SIGTERM');
    }
    for (const { stage } of this.#sides) {
      await waitFor(
        `nothing to run in ${stage.cluster.name}`,
        async () => (await this.uids(stage)).length === 0 || undefined,
      );
    }
  }

  /** By the kubelets of all clusters: pairs of runs of one workload at one time. */
  overlapping(samples = this.#samples): readonly string[] {
    return samples.flatMap((sample) => {
      const [kind, name] = sample;
      const times = this.#sides.flatMap(({ recorder }) => recorder.times({ labels: labelsOf(sample) }));
      return overlaps(times).map((pair) => `${kind} ${name}: ${JSON.stringify(pair)}`);
    });
  }
}

function runHighlander(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((settle) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      settle({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    execFile(join(ROOT, 'node_modules/.bin/node'), [join(ROOT, 'dist/main.mjs'), ...args], done);
  });
}

function yaml([kind, name, spec, script = LOOP]: Sample): string {
  return `apiVersion: highlander.plexobject.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: default}
spec:
  image: busybox:latest
  script: {commands: [${JSON.stringify(script)}]}
  terminationGracePeriod: 5s
${spec}`;
}

function labelsOf([kind, name]: Sample): Readonly<Record<string, string>> {
  return { 'highlander.plexobject.io/kind': kind, 'highlander.plexobject.io/name': name };
}
