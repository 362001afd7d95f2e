/**
 * One controller without its workloads: the production elector, guard, presence, permit and store driver, on real time,
 * and a writer in the place of the reconcilers. Its only argument is a `Membership` as JSON. SIGTERM ends it as `app.ts`
 * ends a controller.
 */
import { randomBytes } from 'node:crypto';
import { annotations } from '../../../operator/api/group.ts';
import { HttpClusterClient } from '../../../operator/cluster/http-client.ts';
import { PooledKubeConfig } from '../../../operator/cluster/kube-config.ts';
import { PermitLease } from '../../../operator/cluster/permit-lease.ts';
import { Elector } from '../../../operator/leadership/elector.ts';
import { LeadershipGuard, type Grant } from '../../../operator/leadership/guard.ts';
import { PermitKeeper } from '../../../operator/leadership/permit-keeper.ts';
import type { PermitStore } from '../../../operator/leadership/ports.ts';
import { Presence } from '../../../operator/leadership/presence.ts';
import { startWatchdog } from '../../../operator/leadership/watchdog.ts';
import { cellKeys } from '../../../operator/lease/cell-store.ts';
import { openStore, type StoreOptions } from '../../../operator/lease/open.ts';
import { systemClock as clock } from '../../../operator/lib/clock.ts';
import { HigherTermSeen, NotLeader, RetryLater } from '../../../operator/lib/errors.ts';
import { assertNotLater } from '../../../operator/reconcile/plan.ts';
import { createLogger } from '../../../operator/telemetry/logger.ts';
import { telling } from './acquisitions.ts';
import { journalIn, now, type Journal } from './history.ts';
import { Objects } from './objects.ts';
import { DRAIN_MS, PRESENCE_MS, TIMING } from './settings.ts';
import { OBJECTS } from './stand-in.ts';

export interface Membership {
  readonly name: string;
  readonly tenant: string;
  readonly store: StoreOptions;
  /** Of the stand-in for the API server. */
  readonly port: number;
  readonly journal: string;
  /** Where the permit is kept; the stand-in has it when there is no cluster. */
  readonly kubeconfig?: string;
}

const WRITE_EVERY_MS = 15;
/** How long one grant is used: a short reconcile, or one that goes on until the grant ends. */
const GRANT_MS = [60, 300, Infinity];
const CLUSTER = { id: 'soak', name: 'soak' };

const membership = JSON.parse(process.argv[2] ?? '{}') as Membership;
const { tenant } = membership;
const identity = `${membership.name}-${randomBytes(4).toString('hex')}`;
const journal: Journal = journalIn(membership.journal, identity);
const logger = createLogger({ level: 'debug', format: 'json' });
const leaving = new AbortController();

const objects = await Objects.connect(membership.port);
const store = telling(await openStore(membership.store), cellKeys.lease(tenant), (term, sentAt) =>
  journal.write({ kind: 'acquired', term, sentAt }),
);
const presence = new Presence({
  tenant,
  identity,
  cluster: CLUSTER,
  store,
  clock,
  logger,
  periodMs: PRESENCE_MS,
  highestStamp: () => objects.highestStamp(),
  mayLead: () => true,
  onLoss: () => elector.canaryLost(),
});
const watchdog = startWatchdog();
const elector: Elector = new Elector({
  tenant,
  candidate: { identity, cluster: CLUSTER, timing: TIMING },
  remainsFollower: false,
  store,
  permit: new PermitKeeper(permitStore()),
  presence,
  cluster: {
    ready: () => objects.ready(),
    highestStamp: () => objects.highestStamp(),
    drainMs: () => DRAIN_MS,
    silentMs: () => 0,
    serverTime: () => undefined,
  },
  listener: {
    elected: (term) => journal.write({ kind: 'elected', term, mayAct: elector.term?.number === term }),
    lost: (term, because) => journal.write({ kind: 'lost', term, because }),
    renewed: () => {},
    refused: () => {},
    reconsider: () => {},
  },
  watchdog,
  clock,
  logger,
});
const guard = new LeadershipGuard(elector, TIMING.retryPeriodMs);

/** In the cluster where there is one, as in production; in the stand-in where a long run shall need none. */
function permitStore(): PermitStore {
  const { kubeconfig: path } = membership;
  if (path === undefined) return objects.permits;
  const client = new HttpClusterClient({
    config: PooledKubeConfig.load({ path }),
    clock,
    userAgent: 'highlander-soak',
  });
  return new PermitLease({ client, namespace: 'default', tenant });
}

/** Writes as often as it may, in the place of reconcilers: each grant until it ends or is old enough. */
async function work(): Promise<void> {
  for (let round = 0; !leaving.signal.aborted; round += 1) {
    try {
      const grant = await guard.enter();
      const until = now() + (GRANT_MS[round % GRANT_MS.length] ?? 0);
      while (now() < until && !leaving.signal.aborted) {
        await writeOne(grant, OBJECTS[round % OBJECTS.length] ?? '');
        await clock.sleep(WRITE_EVERY_MS);
      }
    } catch (error) {
      if (error instanceof HigherTermSeen) {
        journal.write({ kind: 'demoted', because: error.message });
        elector.demote(error.message);
      } else if (!(error instanceof NotLeader) && !(error instanceof RetryLater)) throw error;
      await clock.sleep(WRITE_EVERY_MS);
    }
  }
}

/** The check of the stamp, the check of the deadline and the dispatch, as `reconcile/apply.ts` has them. */
async function writeOne(grant: Grant, name: string): Promise<void> {
  const { version, term } = objects.get(name);
  assertNotLater({ kind: 'Object', metadata: { name, annotations: { [annotations.term]: String(term) } } }, grant.term);
  const from = now();
  grant.assertHeld();
  const answered = objects.put(identity, { name, version, term: grant.term });
  journal.write({ kind: 'acted', term: grant.term, from });
  await answered;
}

process.once('SIGTERM', () => leaving.abort());
const followed = objects.follow(clock, leaving.signal);
const running = Promise.all([elector.run(), presence.run()]);
const working = work();
process.stdout.write(`ready ${identity}\n`);
await Promise.race([running, working, new Promise((resolve) => leaving.signal.addEventListener('abort', resolve))]);
await working;
presence.stop();
elector.leave();
await running;
await followed;
await Promise.all([watchdog.close(), store.close()]);
objects.close();
process.exit(0); // the client of the cluster keeps connections
