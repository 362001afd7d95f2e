/**
 * Folders that must exist outside our own, because programs insist on them: remembered if we made them, and removed when the last
 * cluster on the machine has gone.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { cacheFolder } from './paths.ts';
import { attempt } from './shell.ts';

const NAMESPACES = '/run/netns';

function listFile(): string {
  return join(cacheFolder(), 'made-folders');
}

/** Call it before a program makes the folder, or to make it. */
export function noteFolder(path: string, make = false): void {
  if (existsSync(path)) return;
  writeFileSync(listFile(), `${path}\n`, { flag: 'a' });
  if (make) mkdirSync(path, { recursive: true });
}

/**
 * Not while somebody has a network namespace: his nodes may have mounted something on these folders, and the kernel drops a mount
 * whose folder is removed from outside.
 */
export function removeNotedFolders(): Promise<void> {
  return withLock('network', async () => {
    if (!existsSync(listFile())) return;
    if (existsSync(NAMESPACES) && readdirSync(NAMESPACES).length > 0) return;
    for (const path of readFileSync(listFile(), 'utf8').split('\n').filter(Boolean)) {
      if (path === NAMESPACES) await attempt(['umount', '--no-mtab', path]); // ip mounts it onto itself
      removeEmpty(path);
    }
    rmSync(listFile());
  });
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // it has gone, or somebody else uses it now
  }
}
