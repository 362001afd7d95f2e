/** Two whole clusters with two controllers each, one store between them, and twelve workloads in both. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '../../../hack/cluster/wait.ts';
import type { Controller } from '../../../hack/lab/controller.ts';
import { startController } from '../../../hack/lab/controller.ts';
import type { Redis } from '../../../hack/lab/redis.ts';
import { startRedis } from '../../../hack/lab/redis.ts';
import { FaultProxy } from '../../../operator/lease/testing/fault-proxy.ts';
import type { Cluster } from '../cluster/index.ts';
import { Stage } from '../stage.ts';
import { readDiaries, uptimeMs } from './diaries.ts';
import { aliveAt } from './verdict.ts';
import type { Chore } from './workloads.ts';
import { BEAT_MS, manifest, recurring, steady } from './workloads.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = [join(ROOT, 'node_modules/.bin/node'), join(ROOT, 'dist/main.mjs')] as const;
export const TTL_MS = 6000;
export const LEASE = ['--lease-ttl', '6s', '--lease-renew-deadline', '4s', '--lease-retry-period', '1s'];
const SETTINGS = `lease: {ttl: 6s, renewDeadline: 4s, retryPeriod: 1s}\nfailover: {apiDeadline: 10s}\n`;
/** Pods that start at once on a small machine may be late with their first words. */
const PATIENCE_MS = 20 * BEAT_MS;
/** Whoever is started beside what runs shows within this time. */
const STEADY_MS = 5000;
const ANSWER_MS = 500;
const SLOTS = [1, 2];

export type SideName = 'east' | 'west';

export interface Side {
  readonly name: SideName;
  readonly stage: Stage;
  readonly cluster: Cluster;
  /** Between this cluster's controllers and the store. */
  readonly toStore: FaultProxy;
  /** Those that run, by slot. */
  readonly controllers: Map<number, Controller>;
}

export class World {
  readonly redis: Redis;
  readonly sides: readonly [Side, Side];
  /** Of the diaries. */
  readonly folder: string;
  /** Says by how many seconds the clocks are off that jump. */
  readonly clockFile: string;
  #editions = 0;
  #keep: string | undefined;

  private constructor(redis: Redis, sides: readonly [Side, Side], folder: string) {
    this.redis = redis;
    this.sides = sides;
    this.folder = folder;
    this.clockFile = `${folder}-clock`;
  }

  /** `keep`: where logs, events and diaries are left at the end. */
  static async open(keep?: string): Promise<World> {
    if (keep !== undefined) mkdirSync(keep, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), 'highlander-chaos-'));
    chmodSync(folder, 0o777); // pods are no root users everywhere
    const redis = await startRedis();
    const open = async (name: SideName): Promise<Side> => {
      const stage = await Stage.open({ cluster: `chaos-${name}`, store: redis });
      await stage.enforcePermits();
      for (const chore of [...steady, ...recurring]) await stage.kube.apply(JSON.stringify(manifest(chore, folder)));
      const [host = '', port = ''] = redis.addr.split(':');
      const toStore = await FaultProxy.start({ host, port: Number(port) });
      return { name, stage, cluster: stage.cluster, toStore, controllers: new Map() };
    };
    const world = new World(redis, [await open('east'), await open('west')], folder);
    world.#keep = keep;
    for (const side of world.sides) await world.startAll(side);
    return world;
  }

  async close(): Promise<void> {
    for (const side of this.sides) {
      await this.end(side, 'SIGKILL');
      if (this.#keep !== undefined) {
        const events = await side.stage.kube.run('get', 'events', '--sort-by=.metadata.creationTimestamp');
        writeFileSync(join(this.#keep, `${side.name}-events`), events);
      }
      await side.toStore[Symbol.asyncDispose]();
      await side.stage.close();
      await side.cluster.stop();
    }
    await this.redis.stop();
    if (this.#keep !== undefined) cpSync(this.folder, join(this.#keep, 'diaries'), { recursive: true });
    for (const each of [this.folder, this.clockFile]) rmSync(each, { recursive: true, force: true });
  }

  /** A side that has the lease, or had it last, and the other one. */
  async places(): Promise<{ readonly here: Side; readonly there: Side; readonly leader: Controller }> {
    const [east, west] = this.sides;
    const leader = await waitFor('a leader', () => this.#leader(), { timeoutMs: 120_000, everyMs: 50 });
    const here = [...east.controllers.values()].includes(leader) ? east : west;
    return { here, there: here === east ? west : east, leader };
  }

  async startAll(side: Side, env: Readonly<Record<string, string>> = {}): Promise<void> {
    await Promise.all(SLOTS.map((slot) => this.start(side, slot, env)));
  }

  /** `awaitReady` false: where it has no store, or no API server. */
  async start(side: Side, slot: number, env: Readonly<Record<string, string>> = {}, awaitReady = true): Promise<void> {
    const controller = await startController({
      name: `${side.name}-${slot}`,
      kubeconfig: side.cluster.kubeconfigPath,
      config: `redis:\n  addr: "127.0.0.1:${side.toStore.address.port}"\n${SETTINGS}`,
      env: { ...env, HIGHLANDER_CLUSTER_NAME: side.name },
      awaitReady,
    });
    side.controllers.set(slot, controller);
  }

  /** All of a side; they are not started again. */
  async end(side: Side, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const all = [...side.controllers.values()];
    side.controllers.clear();
    await Promise.all(all.map((each) => this.endOne(each, signal)));
  }

  async endOne(controller: Controller, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await controller.end(signal);
    if (this.#keep === undefined) return;
    const lines = controller.log().map((line) => `${JSON.stringify(line)}\n`);
    writeFileSync(join(this.#keep, `${controller.name}-${controller.pid}.log`), lines.join(''));
  }

  slotOf(side: Side, controller: Controller): number {
    return [...side.controllers].find(([, each]) => each === controller)?.[0] ?? 1;
  }

  /** Runs a verb of the command line. */
  async highlander(...words: readonly string[]): Promise<void> {
    await promisify(execFile)(PROGRAM[0], [PROGRAM[1], ...words, '--redis-addr', this.redis.addr, ...LEASE]);
  }

  /** A new spec for a workload, in both clusters, as GitOps would. */
  async edit(chore: Chore): Promise<void> {
    this.#editions += 1;
    const next = JSON.stringify(manifest(chore, this.folder, this.#editions));
    await Promise.all(this.sides.map(({ stage }) => stage.kube.apply(next)));
  }

  async remove({ kind, name }: Chore): Promise<void> {
    const words = ['delete', kind.toLowerCase(), name, '--wait=false', '--ignore-not-found'];
    await Promise.all(this.sides.map(({ stage }) => stage.kube.run(...words)));
  }

  /**
   * Resolves when each workload that is to run all the time has done so for a while, with one instance, and somebody
   * leads: to when that began, by `uptimeMs`.
   */
  async settled(timeoutMs = 240_000): Promise<number> {
    let since: number | undefined;
    let missing: string | undefined = '';
    const look = async (): Promise<number | undefined> => {
      const lives = readDiaries(this.folder);
      const now = uptimeMs();
      missing = steady.map(({ name }) => name).find((name) => aliveAt(lives, name, now, PATIENCE_MS).length !== 1);
      since = missing === undefined ? (since ?? now) : undefined;
      return since !== undefined && now - since > STEADY_MS ? since : undefined;
    };
    try {
      const began = await waitFor('everything to run', look, { timeoutMs, everyMs: 100 });
      await this.places();
      return began;
    } catch (error) {
      throw new Error(`${missing} does not run, or more than once`, { cause: error });
    }
  }

  async #leader(): Promise<Controller | undefined> {
    for (const { controllers } of this.sides) {
      for (const each of controllers.values())
        if ((await each.metric('k8_highlander_is_leader', ANSWER_MS).catch(() => 0)) === 1) return each;
    }
    return undefined;
  }
}
