/** Control groups of a node: one folder in which kubelet makes all others. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './wait.ts';

const ROOT = '/sys/fs/cgroup';

/** Version 2 is one tree; version 1 has a tree for each controller. */
export function cgroupVersion(): 1 | 2 {
  return existsSync(join(ROOT, 'cgroup.controllers')) ? 2 : 1;
}

/** kubelet refuses a `cgroupRoot` that is not there in every tree. */
export function makeCgroup(name: string): void {
  if (cgroupVersion() === 2) {
    const controllers = readFileSync(join(ROOT, 'cgroup.controllers'), 'utf8').trim().split(/\s+/);
    const wanted = ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb'].filter((each) => controllers.includes(each));
    writeFileSync(join(ROOT, 'cgroup.subtree_control'), wanted.map((each) => `+${each}`).join(' '));
    mkdirSync(join(ROOT, name), { recursive: true });
    return;
  }
  for (const controller of readdirSync(ROOT)) {
    if (controller === 'unified' || !existsSync(join(ROOT, controller, 'cgroup.procs'))) continue;
    const folder = join(ROOT, controller, name);
    mkdirSync(folder, { recursive: true });
    if (controller.split(',').includes('cpuset')) copyCpuset(join(ROOT, controller), folder);
  }
}

/** A new cpuset group of version 1 may use no CPU and no memory until it is told. */
function copyCpuset(from: string, to: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) writeFileSync(join(to, file), readFileSync(join(from, file)));
}

/** Removes a node's groups: call it when its processes are gone. The kernel empties groups a moment after their processes ended. */
export async function removeCgroup(name: string): Promise<void> {
  const trees = cgroupVersion() === 2 ? [ROOT] : readdirSync(ROOT).map((controller) => join(ROOT, controller));
  const folders = trees.map((tree) => join(tree, name)).filter((folder) => existsSync(folder));
  await Promise.all(
    folders.map((folder) =>
      waitFor(`the end of control group ${folder}`, () => removeTree(folder), { timeoutMs: 10_000 }),
    ),
  );
}

/** Only folders can be removed there, and only from the leaves up. */
function removeTree(folder: string): boolean {
  for (const child of readdirSync(folder, { withFileTypes: true }))
    if (child.isDirectory()) removeTree(join(folder, child.name));
  rmdirSync(folder);
  return true;
}
