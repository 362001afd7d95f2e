/** Where everything lives: nothing is ever written inside the work tree. */

import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout that this file belongs to; two checkouts never share a running part. */
export const CHECKOUT = realpathSync(resolve(import.meta.dirname, '../..'));

/** What is built or unpacked once per machine and shared by all checkouts. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(
    environment['HIGHLANDER_CACHE'] ?? join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'highlander'),
  );
}

export function shortHash(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 10);
}

/** State of what runs for one checkout. */
export function runFolder(checkout: string = CHECKOUT): string {
  return join(cacheFolder(), 'run', shortHash(checkout));
}

export function clusterFolder(name: string): string {
  return join(runFolder(), 'clusters', name);
}

export function kubeconfigPath(name: string): string {
  return join(clusterFolder(name), 'admin.kubeconfig');
}

/** Is this kubeconfig one that we printed? (A user may have exported it, for this checkout or for another one.) */
export function isOurKubeconfig(path: string): boolean {
  return resolve(path).startsWith(join(cacheFolder(), 'run') + '/');
}
