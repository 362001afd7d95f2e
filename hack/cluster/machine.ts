/** What this machine allows. */

import { existsSync, readFileSync } from 'node:fs';
import { run, which } from './shell.ts';

/** Why there can be no network namespaces of our own here; undefined if there can. */
export async function namespaceRefusal(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'you are not root (try again with sudo for real nodes)';
  if (!which('unshare') || !which('nsenter'))
    return which('apt-get') ? undefined : 'unshare and nsenter are missing (package util-linux)';
  try {
    await run(['unshare', '--net', '--mount', '--pid', '--fork', 'true']);
  } catch (error) {
    return `the system allows no namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
  return undefined;
}

/** Why nodes cannot run real pods here; undefined if they can. */
export async function realNodeRefusal(): Promise<string | undefined> {
  const refusal = await namespaceRefusal();
  if (refusal !== undefined) return refusal;
  if (!which('apt-get') || !which('dpkg-deb'))
    return "the container runtime comes from Debian's packages, and this is not Debian";
  if (!existsSync('/sys/fs/cgroup')) return 'there are no control groups (/sys/fs/cgroup)';
  return undefined;
}

/**
 * Where root lacks CAP_SYS_RESOURCE no process may get a lower OOM score than its parent: containers that ask for it fail to start
 * with an error that does not name the cause.
 */
export function mayLowerOomScore(status: string = readFileSync('/proc/self/status', 'utf8')): boolean {
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const SYS_RESOURCE = 24n;
  return (capabilities & (1n << SYS_RESOURCE)) !== 0n;
}
