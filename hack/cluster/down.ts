/** Ends a cluster and removes every trace of it, also of one that was started half-way or whose state was lost. */

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeCgroup } from './cgroup.ts';
import { nodeRunFolder } from './layout.ts';
import { removeNotedFolders } from './leftovers.ts';
import { withLock } from './lock.ts';
import { bridgeName, namespacesOf, removeLink, removeNamespace } from './network.ts';
import { CHECKOUT, clusterFolder, runFolder, shortHash } from './paths.ts';
import { stopProcess } from './processes.ts';
import { stopRegistry } from './registry.ts';
import { readState } from './state.ts';
import { ownSlot, releaseSlot } from './subnet.ts';

export async function down(name: string): Promise<void> {
  await withLock(`cluster-${shortHash(CHECKOUT, name)}`, () => downLocked(name));
}

/** For callers that hold the cluster's lock. */
export async function downLocked(name: string): Promise<void> {
  if (!existsSync(clusterFolder(name))) return;
  const state = readState(name);
  await Promise.all(Object.values(state?.processes ?? {}).map((process) => stopProcess(process, 0)));
  const slot = state?.slot ?? ownSlot();
  if (slot !== undefined) {
    await Promise.all(
      namespacesOf(slot, name).map(async (namespace) => {
        await removeNamespace(namespace);
        await removeCgroup(namespace);
        rmSync(nodeRunFolder(namespace), { recursive: true, force: true });
      }),
    );
  }
  if (state?.link !== undefined) await removeLink(state.link);
  rmSync(clusterFolder(name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  await releaseShared();
}

/** What the clusters of this checkout share goes with the last of them. */
async function releaseShared(): Promise<void> {
  await withLock(`checkout-${shortHash(CHECKOUT)}`, async () => {
    if (clusterNames().length > 0) return;
    await stopRegistry();
    const slot = ownSlot();
    if (slot !== undefined) await removeLink(bridgeName(slot));
    await releaseSlot();
    await removeNotedFolders();
    rmSync(runFolder(), { recursive: true, force: true });
  });
}

/** Every cluster of this checkout, also one without a readable state. */
export function clusterNames(): string[] {
  const folder = join(runFolder(), 'clusters');
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}
