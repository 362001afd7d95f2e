/**
 * The election with everything real: processes, clocks, stores, the network's and the processes' faults. The simulator
 * plays far more of it; this shows that the real parts behave as the simulated ones. `SEED=` and `MINUTES=` (for each
 * store) play another one; `make soak` plays long ones.
 */
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { kubectl } from '../hack/lab/kubectl.ts';
import { type Cluster, startCluster } from './support/cluster/index.ts';
import { playElection } from './support/election/run.ts';
import type { StoreName } from './support/election/stores.ts';
import { SHARED_CLUSTER } from './support/stage.ts';

const SEED = Number(process.env['SEED'] ?? 7);
const MS = process.env['MINUTES'] === undefined ? 40_000 : Number(process.env['MINUTES']) * 60_000;
/** To start, to finish the last round, and to end. */
const MORE_MS = 120_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ name: SHARED_CLUSTER });
}, 600_000);

it.each<StoreName>(['redis', 'db'])(
  'one leads at a time, in growing terms, and soon after each fault somebody does (%s)',
  async (store) => {
    // A name that no earlier run has used: the cluster would remember the tenant, and the election wait.
    const tenant = `election-${store}-${randomBytes(4).toString('hex')}`;
    const report = await playElection({ store, tenant, seed: SEED, ms: MS, kubeconfig: cluster.kubeconfigPath });
    console.log(report.summary);
    const permit = await kubectl(cluster.kubeconfigPath).run('delete', 'lease', `highlander-permit-${tenant}`);
    expect(permit).toContain('deleted');
    expect(report.violations, report.story).toEqual([]);
  },
  MS + MORE_MS,
);
