/** Reaches a cluster from within its own network namespace: also while it is cut off from everybody else. */

import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { inNamespace } from './network.ts';
import { kubeconfigPath } from './paths.ts';
import { mustRead } from './parts.ts';
import { run } from './shell.ts';

/** A request as administrator to the API server, or to a kubelet by a whole URL. */
export async function requestInside<T>(cluster: string, method: string, path: string, body?: unknown): Promise<T> {
  const args = [kubeconfigPath(cluster), method, path, ...(body === undefined ? [] : [JSON.stringify(body)])];
  return JSON.parse(await run(command(cluster, 'request.ts', args))) as T;
}

/** The caller reads lines from its standard output, and ends it by `kill()`. */
export function watchPodsInside(cluster: string, namespace: string): ChildProcess {
  const [program = '', ...args] = command(cluster, 'watch-pods.ts', [kubeconfigPath(cluster), namespace]);
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

function command(cluster: string, script: string, args: readonly string[]): string[] {
  return inNamespace(mustRead(cluster).namespace, [process.execPath, join(import.meta.dirname, script), ...args]);
}
