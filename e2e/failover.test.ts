/** Leaders that crash, leave, freeze, or lose what they depend on: the workload goes on, and one controller acts at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Controller } from '../hack/lab/controller.ts';
import { waitFor } from './support/cluster/index.ts';
import type { Pod } from './support/stage.ts';
import { Stage, processYaml, termOf } from './support/stage.ts';

const TTL_MS = 15_000;
const NAME = 'steady';
const POD = 'steady-pod';

let stage: Stage;
let leader: Controller;
let standby: Controller;
let before: Pod;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.kube.apply(processYaml(NAME, ['while true; do sleep 1; done']));
}, 600_000);

afterAll(async () => {
  await stage?.close();
}, 120_000);

beforeEach(async () => {
  leader = await stage.startController('one');
  await stage.leader();
  before = await waitFor('the leader to adopt the pod', async () => {
    const pod = await stage.runningPod(POD);
    return termOf(pod) === (await leader.metric('k8_highlander_lease_term')) ? pod : undefined;
  });
  standby = await stage.startController('two');
}, 120_000);

afterEach(async () => {
  expect((await stage.pod(POD))?.metadata.uid).toBe(before.metadata.uid);
  await stage.endControllers('SIGTERM'); // who is killed is waited for
});

/** Milliseconds until the pod carries a later term. */
async function adoption(since: number): Promise<number> {
  await waitFor('the pod to be adopted', async () => termOf(await stage.pod(POD)) > termOf(before), {
    timeoutMs: 90_000,
    everyMs: 10,
  });
  return performance.now() - since;
}

/** Writes by this process after this time, as the API server saw them; presence in a Lease would be one. */
async function writesOf(controller: Controller, after: Date): Promise<string[]> {
  const events = await stage.cluster.auditEvents();
  return events
    .filter((event) => event.userAgent.includes(`(${controller.name}-`) && event.receivedAt > after)
    .map((event) => `${event.verb} ${event.resource} ${event.name}`);
}

describe('within one cluster', () => {
  it('a leader that is killed is replaced within ttl + 0.5 s, and its pod is not restarted', async () => {
    await sleep(3000);
    const killed = performance.now();
    await leader.end('SIGKILL');
    expect(await adoption(killed)).toBeLessThan(TTL_MS + 500);
    expect(await standby.metric('k8_highlander_failover_total')).toBe(1);
  });

  it('a leader that leaves is replaced at once, and ends with success', async () => {
    await sleep(1000);
    const asked = performance.now();
    const ended = leader.end('SIGTERM');
    expect(await adoption(asked)).toBeLessThan(1500);
    expect(await ended).toBe(0);
  });

  it('a leader that was frozen beyond its lease writes nothing more and becomes a follower', async () => {
    leader.pause();
    await adoption(performance.now());
    const woken = new Date();
    leader.resume();
    await leader.logged('Lost the lease');
    await stage.kube.run(
      'annotate',
      'workloadprocess',
      NAME,
      `highlander.plexobject.io/reconcile-requested-at=${woken.getTime()}`,
    );
    await sleep(4000);
    expect(await writesOf(leader, woken)).toEqual([]);
    expect(await leader.metric('k8_highlander_is_leader')).toBe(0);
    expect(await standby.metric('k8_highlander_is_leader')).toBe(1);
  });

  it('nothing happens when the store does not answer for less than the deadline', async () => {
    const term = await leader.metric('k8_highlander_lease_term');
    stage.redis?.pause();
    await sleep(8000);
    stage.redis?.resume();
    await sleep(4000);
    expect(await leader.metric('k8_highlander_is_leader')).toBe(1);
    expect(await leader.metric('k8_highlander_lease_term')).toBe(term);
    expect(termOf(await stage.pod(POD))).toBe(term);
  });

  it('workloads run on when the store is killed and comes back; one controller leads again by itself', async () => {
    await stage.redis?.kill();
    await sleep(4000);
    await stage.redis?.restart();
    await leader.logged('Lost the lease');
    expect(await leader.metric('k8_highlander_is_leader')).toBe(0);
    await adoption(performance.now());
    const leads = await Promise.all([leader, standby].map((each) => each.metric('k8_highlander_is_leader')));
    expect(leads.filter((each) => each === 1)).toHaveLength(1);
  });

  it('a restart of the API server changes nothing, and work goes on after', async () => {
    const term = await leader.metric('k8_highlander_lease_term');
    await stage.cluster.restartApiServer();
    await stage.kube.apply(processYaml('after-restart', ['while true; do sleep 1; done']));
    await stage.runningPod('after-restart-pod');
    expect(await leader.metric('k8_highlander_lease_term')).toBe(term);
    await stage.kube.run('delete', 'workloadprocess', 'after-restart', '--wait=false');
    await stage.noPod('after-restart-pod');
  });
});
