/** What people ask of a tenant from the command line, through its store. */
import { userInfo } from 'node:os';
import type { Config } from '../config/config.ts';
import { StillAlive } from '../leadership/confirmation.ts';
import type { Wish } from '../leadership/heir.ts';
import type { PastTerm } from '../leadership/history.ts';
import { History } from '../leadership/history.ts';
import type { ClusterRef } from '../leadership/lease-record.ts';
import { TenantDesk } from '../leadership/tenant-desk.ts';
import { atLeast } from '../leadership/timing.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { systemClock } from '../lib/clock.ts';

/** For each call to the store. */
const CALL = { timeoutMs: 10_000 };
const LOOK_MS = 100;
/** Between two looks for signs of life. */
const SIGNS_MS = 500;

type Say = (line: string) => void;

/** Resolves to whether it was carried out. Throws when it cannot be asked for. */
export async function handOver(store: CellStore, config: Config, wish: Wish, say: Say): Promise<boolean> {
  const desk = adminOf(store, config);
  const began = systemClock.monotonic();
  const { leader, heir } = await desk.handOver(wish, userName());
  const { record, identity } = leader;
  say(
    `Handing over leadership from ${identity} (${record.cluster.name}, term ${record.term}) to ${heir.identity} (${heir.cluster.name})`,
  );
  const limitMs = 2 * record.ttlMs + record.drainMs;
  const next = await until(limitMs, async () => {
    const now = await desk.record();
    return now && now.term > record.term && now.holder !== null ? now : undefined;
  });
  if (!next)
    say(`${identity} did not hand over within ${limitMs / 1000} s: a workload that it must stop is still terminating`);
  else
    say(
      `New leader: ${next.holder} (${next.cluster.name}), term ${next.term}, after ${seconds(systemClock.monotonic() - began)}`,
    );
  return next?.holder === heir.identity;
}

/** Resolves to whether every controller knows. */
export async function pause(store: CellStore, config: Config, isToPause: boolean, say: Say): Promise<boolean> {
  const desk = adminOf(store, config);
  const since = new Date(systemClock.wall()).toISOString();
  const { paused } = isToPause ? await desk.pause(userName(), since) : await desk.resume();
  const missing = async () => {
    const alive = (await desk.peers()).filter(({ ageMs, report }) => ageMs < config.lease.ttlMs && !report?.byPerson);
    return alive.filter((peer) => (peer.paused ?? false) !== isToPause).map(({ identity }) => identity);
  };
  const all = await until(2 * config.lease.renewDeadlineMs, async () => (await missing()).length === 0 || undefined);
  if (!all) say(`Not yet confirmed by: ${(await missing()).join(', ')}`);
  say(
    paused
      ? `Tenant ${config.tenant} is paused since ${paused.since} (${paused.by}): workloads keep running, controllers change nothing`
      : `Tenant ${config.tenant} is resumed`,
  );
  return all ?? false;
}

/** The last terms, the oldest first. */
export function pastTerms(store: CellStore, { tenant }: Config): Promise<readonly PastTerm[]> {
  return new History(store, tenant).read(CALL);
}

/** Where that cluster was heard from a moment ago, waits until it has been silent for a ttl; throws when it is not. */
export async function confirmStopped(store: CellStore, config: Config, cluster: string, say: Say): Promise<ClusterRef> {
  const desk = adminOf(store, config);
  const began = systemClock.monotonic();
  for (let before: StillAlive | undefined; ; await systemClock.sleep(SIGNS_MS)) {
    try {
      return await desk.confirmStopped(cluster);
    } catch (error) {
      if (!(error instanceof StillAlive) || (before && error.hasMovedSince(before))) throw error;
      if (systemClock.monotonic() > began + atLeast(error.ttlMs) + SIGNS_MS) throw error;
      if (!before) say(`Waiting up to ${error.ttlMs / 1000} s for another sign of life of cluster ${cluster}`);
      before = error;
    }
  }
}

function adminOf(store: CellStore, { tenant }: Config): TenantDesk {
  return new TenantDesk(store, tenant, CALL);
}

/** For people: some accounts have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Looks until there is something to see; undefined when there was not within `ms`. */
async function until<T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = systemClock.monotonic() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== undefined || systemClock.monotonic() > end) return seen;
    await systemClock.sleep(LOOK_MS);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
