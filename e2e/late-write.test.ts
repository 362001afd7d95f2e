/**
 * A write leaves the leader's process and arrives when another cluster has taken over: what the network has taken, no code
 * of ours can take back. The API server refuses what would start of it; without the policy a second instance does start.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Clusters } from './support/clusters.ts';
import { waitFor } from './support/cluster/index.ts';
import { HoldProxy } from './support/hold-proxy.ts';
import type { Stage } from './support/stage.ts';

const LATE = ['WorkloadService', 'late', '  replicas: 1\n'] as const;

let clusters: Clusters;
let proxy: HoldProxy;

afterEach(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await clusters?.close();
}, 120_000);

/** A kubeconfig that leads through the proxy. */
function detour(stage: Stage, folder: string): string {
  const { server, kubeconfigPath } = stage.cluster;
  const through = `server: ${proxy.url}\n      tls-server-name: ${new URL(server).hostname}`;
  const path = join(folder, 'detour.kubeconfig');
  writeFileSync(path, readFileSync(kubeconfigPath, 'utf8').replace(`server: ${server}`, through), { mode: 0o600 });
  return path;
}

/** The leader's last word is kept back until the other cluster runs everything; then it arrives. */
async function arriveLate(fenced: boolean): Promise<void> {
  // Of its own: an API server from which policies were taken away goes by the permit of that time when they come back.
  clusters = await Clusters.open({ fenced, names: ['late', 'late-west'] });
  const { east, west } = clusters;
  proxy = await HoldProxy.start(new URL(east.cluster.server));
  const config = 'failover: {apiDeadline: 3s}';
  await clusters.startController(east, 'east-1', { config, kubeconfig: detour(east, clusters.folder) });
  await clusters.active(east);
  await clusters.startController(west, 'west-1');
  await clusters.shared();
  await clusters.startController(east, 'east-2', { config: 'remainsFollower: true' });
  proxy.hold();
  await clusters.apply(LATE);
  await clusters.active(west, [LATE]);
  expect(await clusters.uids(east)).toEqual([]);
  // Nobody is left there who could stop what comes: only the API server decides.
  await east.endControllers('SIGKILL');
  proxy.release();
}

describe('a write that arrives when another cluster has taken over', () => {
  it('starts nothing: the API server refuses its pods', async () => {
    await arriveLate(true);
    await sleep(8000);
    expect(clusters.overlapping([LATE])).toEqual([]);
    expect(await clusters.east.podsOf(LATE[0], LATE[1])).toEqual([]);
    const events = await clusters.east.kube.run('get', 'events', '--field-selector', 'reason=FailedCreate');
    expect(events).toContain('the permit of this cluster expired');
  });

  it('starts a second instance where the policy is missing, and the controllers have said so', async () => {
    await arriveLate(false);
    await clusters.active(clusters.east, [LATE]);
    await waitFor('the kubelets to tell of two', () => clusters.overlapping([LATE]).length === 1);
  });
});
