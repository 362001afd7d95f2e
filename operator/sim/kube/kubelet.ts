/** The scheduler and the kubelet of one node: what really runs, whatever the API server knows of it. */
import { childTypes } from '../../api/children.ts';
import { podGraceMs } from '../../api/grace.ts';
import { labels } from '../../api/group.ts';
import { core } from '../../cluster/cluster-client.ts';
import { microTime } from '../../cluster/events.ts';
import type { Stored } from '../api/json.ts';
import { asJson } from '../api/json.ts';
import type { Ground } from './loop.ts';
import { isFinal, KUBERNETES, ownerOf } from './loop.ts';

const { pods } = childTypes;
const NODE = 'node';
const LEASE_MS = 10_000;
/** Longest that a kubelet which was cut off takes to notice what was removed meanwhile. */
const NOTICE_MS = 9000;
const BIND_MS = 300;
const START_MS = 1500;
const RETRY_MS = 1000;
/** Longest that the pod of a Job runs by itself. */
const RUN_MS = 20_000;

/** A container that runs. */
export interface Container {
  readonly uid: string;
  /** As it was started. */
  readonly pod: Stored;
  isEnding: boolean;
}

/** Hears of what really happens. */
export interface KubeletListener {
  started(pod: Stored): unknown;
  ended(pod: Stored): unknown;
}

/** What runs on the node of one cluster. */
export class Kubelet {
  /** It ends nothing, starts nothing, and its node does not say that it lives. */
  isStuck = false;
  /** Names of workloads whose containers do not end. */
  readonly stuckPods = new Set<string>();
  readonly #ground: Ground;
  readonly #listener: KubeletListener;
  readonly #running = new Map<string, Container>();
  /** Uids of the pods that it has dealt with to the end. */
  readonly #done = new Set<string>();
  #wasStuck = false;

  constructor(ground: Ground, listener: KubeletListener) {
    this.#ground = ground;
    this.#listener = listener;
    ground.server.changes.subscribe(({ type, object, before }) => {
      if (type.plural !== pods.plural) return;
      if (!before) this.#bind(object);
      this.#soon(object, before === undefined || before.spec?.['nodeName'] === undefined ? START_MS : BIND_MS);
    });
    this.#renew();
  }

  get running(): readonly Container[] {
    return [...this.#running.values()];
  }

  /** Pods are removed by force, by somebody or because their node is gone for Kubernetes; their containers may run on. */
  collect(): void {
    const { world, server } = this.#ground;
    const byPerson = world.chance.hits(0.5);
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' };
    for (const pod of server.all(pods).filter((each) => ownerOf(each) && each.spec?.['nodeName'] !== undefined)) {
      if (world.chance.hits(0.3)) continue;
      const status = { phase: 'Failed', conditions: [condition] };
      if (!byPerson && !isFinal(pod))
        server.patch(pods, pod.metadata, { status }, { ...KUBERNETES, subresource: 'status' });
      server.delete(pods, pod.metadata, { gracePeriodSeconds: 0 }, KUBERNETES);
    }
  }

  /** Its node loses power: all containers end at once, which it says when it is back. */
  die(): void {
    for (const container of this.running) {
      this.#running.delete(container.uid);
      this.#listener.ended(container.pod);
      this.#report(container.pod, 'Failed');
    }
  }

  #bind(pod: Stored): void {
    const { world, server, isUp } = this.#ground;
    if (pod.spec?.['nodeName'] !== undefined) return;
    world.after(world.chance.skewed(5, BIND_MS), () => {
      if (!isUp()) return this.#bind(pod);
      const live = server.get(pods, pod.metadata);
      if (live?.metadata.uid !== pod.metadata.uid || live?.metadata.deletionTimestamp !== undefined) return;
      server.patch(pods, pod.metadata, { spec: { nodeName: NODE } }, KUBERNETES);
    });
  }

  #soon({ metadata }: Stored, ms: number): void {
    const { world } = this.#ground;
    world.after(world.chance.skewed(5, ms), () => this.#look(metadata));
  }

  /** What it has to do with the pod of a name, now. */
  #look(at: Stored['metadata']): void {
    const { world, server, isUp } = this.#ground;
    if (this.isStuck || !isUp()) {
      this.#wasStuck ||= this.isStuck;
      return world.after(RETRY_MS, () => this.#look(at));
    }
    if (this.#wasStuck) return this.#lookAnew(at);
    const live = server.get(pods, at);
    const container = this.#running.get(at.uid ?? '');
    if (live?.metadata.uid !== at.uid) {
      if (container) this.#end(container);
    } else if (live && live.spec?.['nodeName'] !== undefined) this.#follow(live, container);
  }

  /** It was cut off, and learns what has become of all pods meanwhile. */
  #lookAnew(at: Stored['metadata']): void {
    this.#wasStuck = false;
    const known = this.running.map(({ pod }) => pod);
    for (const pod of [{ metadata: at }, ...known, ...this.#ground.server.all(pods)]) this.#soon(pod, NOTICE_MS);
  }

  #follow(live: Stored, container: Container | undefined): void {
    const uid = live.metadata.uid ?? '';
    if (container) {
      if (live.metadata.deletionTimestamp !== undefined) this.#end(container);
    } else if (live.metadata.deletionTimestamp !== undefined) this.#report(live, 'Failed');
    else if (!this.#done.has(uid) && !isFinal(live)) this.#start(uid, live);
  }

  #start(uid: string, pod: Stored): void {
    const { world, server } = this.#ground;
    this.#done.add(uid);
    const container = { uid, pod, isEnding: false };
    this.#running.set(uid, container);
    this.#listener.started(pod);
    const running = { running: { startedAt: server.now } };
    const ready = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' }));
    const status = { phase: 'Running', containerStatuses: this.#containers(pod, running, true), conditions: ready };
    server.patch(pods, pod.metadata, { status }, { ...KUBERNETES, subresource: 'status' });
    if (ownerOf(pod)?.kind === 'Job')
      world.after(world.chance.between(0.1, 1) * RUN_MS, () => this.#complete(container));
  }

  /** It has done what it was for. */
  #complete(container: Container): void {
    const { world, server, isUp } = this.#ground;
    if (container.isEnding || !this.#running.has(container.uid)) return;
    if (this.isStuck || !isUp()) return world.after(RETRY_MS, () => this.#complete(container));
    this.#running.delete(container.uid);
    this.#listener.ended(container.pod);
    if (server.get(pods, container.pod.metadata)?.metadata.uid === container.uid)
      this.#write(container.pod, 'Succeeded');
  }

  #end(container: Container): void {
    if (container.isEnding) return;
    container.isEnding = true;
    const { world } = this.#ground;
    world.after(world.chance.between(0.2, 1) * podGraceMs(container.pod), () => this.#ended(container));
  }

  #ended(container: Container): void {
    const { world } = this.#ground;
    const workload = container.pod.metadata.labels?.[labels.name] ?? '';
    if (this.isStuck || this.stuckPods.has(workload)) return world.after(RETRY_MS, () => this.#ended(container));
    this.#running.delete(container.uid);
    this.#listener.ended(container.pod);
    this.#report(container.pod, 'Succeeded');
  }

  /** Everything has ended: says so, and lets the object go. */
  #report(pod: Stored, phase: 'Succeeded' | 'Failed'): void {
    const { world, server, isUp } = this.#ground;
    if (!isUp() || this.isStuck) return world.after(RETRY_MS, () => this.#report(pod, phase));
    const live = server.get(pods, pod.metadata);
    if (!live || live.metadata.uid !== pod.metadata.uid) return;
    if (!hasSaidSo(live)) this.#write(pod, isFinal(live) ? 'Failed' : phase);
    server.delete(pods, pod.metadata, { preconditions: { uid: pod.metadata.uid }, gracePeriodSeconds: 0 }, KUBERNETES);
  }

  #write(pod: Stored, phase: 'Succeeded' | 'Failed'): void {
    const { server } = this.#ground;
    const terminated = { exitCode: phase === 'Failed' ? 137 : 0, finishedAt: server.now };
    const state = { terminated: { ...terminated, ...(phase === 'Failed' && { reason: 'ContainerStatusUnknown' }) } };
    const status = { phase, containerStatuses: this.#containers(pod, state, false), conditions: null };
    server.patch(pods, pod.metadata, { status }, { ...KUBERNETES, subresource: 'status' });
  }

  #containers(pod: Stored, state: object, ready: boolean): readonly object[] {
    const containers = (asJson(pod.spec)['containers'] ?? []) as readonly { readonly name: string }[];
    return containers.map(({ name }) => ({ name, ready, restartCount: 0, state }));
  }

  /** Its node lives. */
  #renew(): void {
    const { world, server, isUp, time } = this.#ground;
    const at = { name: NODE, namespace: 'kube-node-lease' };
    const spec = { renewTime: microTime(time()), leaseDurationSeconds: 40 };
    if (isUp() && !this.isStuck) {
      if (server.get(core.leases, at)) server.patch(core.leases, at, { spec }, KUBERNETES);
      else server.create(core.leases, { metadata: at, spec } as never, KUBERNETES);
    }
    world.after(LEASE_MS, () => this.#renew());
  }
}

/** Its containers are known to have ended; the garbage collector of pods says less. */
function hasSaidSo({ status }: Stored): boolean {
  const containers = (status?.['containerStatuses'] ?? []) as readonly { readonly state?: object }[];
  return containers.length > 0 && containers.every(({ state }) => state !== undefined && 'terminated' in state);
}
