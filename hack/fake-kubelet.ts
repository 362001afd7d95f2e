/**
 * A kubelet that runs nothing: it registers a Node, says that it is alive, and reports for every pod bound to it what a kubelet
 * would report if its containers ran. For tests with hundreds of pods, and for machines where real nodes are not possible.
 *
 *   node hack/fake-kubelet.ts --kubeconfig FILE --node NAME
 *
 * Annotations of a pod change its fate:
 *   fake-kubelet/run-seconds    it ends by itself after so long (pods of a Job do after 1 s)
 *   fake-kubelet/exit-code      … with this code (0)
 *   fake-kubelet/stop-seconds   it takes so long to end when it is deleted (0)
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ApiClient, ApiError } from './cluster/api.ts';
import { bootNode, keepAlive } from './cluster/fake-node.ts';
import { endedStatus, runningStatus, type Pod, type PodStatus } from './cluster/fake-pod.ts';

const STRATEGIC = { contentType: 'application/strategic-merge-patch+json' };

class FakeKubelet {
  readonly #api: ApiClient;
  readonly #node: string;
  /** What was last reported of each pod, by its uid: what a watch says may be older. */
  readonly #reported = new Map<string, PodStatus>();
  readonly #busy = new Set<string>();
  readonly #doomed = new Set<string>();
  #addresses = 0;

  constructor(api: ApiClient, node: string) {
    this.#api = api;
    this.#node = node;
  }

  /** Lists, then watches, for ever. After a start, containers that an earlier kubelet left running have died with it. */
  async run(): Promise<never> {
    const path = `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${this.#node}`)}`;
    for (;;) {
      try {
        const list = await this.#api.request<{ metadata: { resourceVersion: string }; items: Pod[] }>('GET', path, {
          timeoutMs: 30_000,
        });
        for (const pod of list.items) this.#handle(pod);
        const watch = `${path}&watch=1&allowWatchBookmarks=true&resourceVersion=${list.metadata.resourceVersion}`;
        for await (const line of this.#api.lines(watch, 90_000)) this.#onLine(line); // bookmarks come each minute
      } catch (error) {
        report(error);
        await sleep(500);
      }
    }
  }

  #onLine(line: string): void {
    if (!line) return;
    const event = JSON.parse(line) as { type: string; object: Pod & { message?: string } };
    if (event.type === 'ERROR') throw new Error(event.object.message ?? 'watch ended');
    if (event.type === 'DELETED') this.#forget(event.object.metadata.uid);
    else if (event.type !== 'BOOKMARK') this.#handle(event.object);
  }

  #forget(uid: string): void {
    this.#reported.delete(uid);
    this.#doomed.delete(uid);
  }

  #handle(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined && !this.#doomed.has(uid)) {
      this.#doomed.add(uid);
      void this.#end(pod);
    } else if (deletionTimestamp === undefined && !this.#reported.has(uid) && !this.#busy.has(uid)) {
      this.#busy.add(uid);
      void this.#start(pod).finally(() => this.#busy.delete(uid));
    }
  }

  async #start(pod: Pod): Promise<void> {
    const { phase } = pod.status;
    if (phase === 'Succeeded' || phase === 'Failed') return void this.#reported.set(pod.metadata.uid, pod.status);
    const lost = phase === 'Running';
    if (lost && pod.spec.restartPolicy === 'Never') return this.#report(pod, endedStatus(pod, pod.status, 137));
    await this.#report(pod, runningStatus(pod, pod.status.podIP ?? this.#newAddress()));
    const seconds = runSeconds(pod);
    if (seconds === undefined) return;
    setTimeout(() => void this.#finish(pod), seconds * 1000);
  }

  /** A pod whose containers end by themselves. With another restart policy than Never a failure would be tried again: not played. */
  async #finish(pod: Pod): Promise<void> {
    const current = this.#reported.get(pod.metadata.uid);
    if (!current || this.#doomed.has(pod.metadata.uid)) return;
    await this.#report(pod, endedStatus(pod, current, annotation(pod, 'exit-code') ?? 0));
  }

  /** First it is told that the containers have ended, then the pod goes: with finalizers it stays, and must not look alive. */
  async #end(pod: Pod): Promise<void> {
    while (this.#busy.has(pod.metadata.uid)) await sleep(5);
    await sleep((annotation(pod, 'stop-seconds') ?? 0) * 1000);
    const current = this.#reported.get(pod.metadata.uid) ?? pod.status;
    if (current.phase === 'Pending' || current.phase === 'Running')
      await this.#report(pod, endedStatus(pod, current, 0));
    const body = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    await this.#untilDone(() => this.#api.request('DELETE', podPath(pod), { body }));
  }

  async #report(pod: Pod, status: PodStatus): Promise<void> {
    this.#reported.set(pod.metadata.uid, status);
    const body = { metadata: { uid: pod.metadata.uid }, status };
    await this.#untilDone(() => this.#api.request('PATCH', `${podPath(pod)}/status`, { body, ...STRATEGIC }));
  }

  /** An API server that does not answer is asked again; a pod that is gone, or another one of its name, needs nothing more. */
  async #untilDone(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
        report(error);
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) return;
        await sleep(500);
      }
    }
  }

  #newAddress(): string {
    const number = ++this.#addresses;
    return `10.9.${(number >> 8) & 255}.${number & 255}`;
  }
}

function podPath({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

function annotation(pod: Pod, name: string): number | undefined {
  const value = pod.metadata.annotations?.[`fake-kubelet/${name}`];
  return value === undefined ? undefined : Number(value);
}

function runSeconds(pod: Pod): number | undefined {
  const ofJob = pod.metadata.ownerReferences?.some(({ kind }) => kind === 'Job') ?? false;
  return annotation(pod, 'run-seconds') ?? (ofJob ? 1 : undefined);
}

function report(error: unknown): void {
  process.stderr.write(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}\n`);
}

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, node: { type: 'string', default: 'node1' } },
});
if (values.kubeconfig === undefined)
  throw new Error('usage: node hack/fake-kubelet.ts --kubeconfig FILE [--node NAME]');
const api = ApiClient.fromKubeconfig(values.kubeconfig);
await bootNode(api, values.node, report);
keepAlive(api, values.node, report);
await new FakeKubelet(api, values.node).run();
