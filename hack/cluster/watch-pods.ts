/**
 * Prints every state of the pods of a namespace ('' for all), as `{type, object}` a line: first what is there, then each change,
 * again from the start when the watch ends. A program of its own, so that it can run inside a cluster that is cut off.
 *   node hack/cluster/watch-pods.ts KUBECONFIG NAMESPACE
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from './api.ts';

const [kubeconfig = '', namespace = ''] = process.argv.slice(2);
const api = ApiClient.fromKubeconfig(kubeconfig);
const path = namespace === '' ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`;

process.stdin.on('close', () => process.exit()).resume(); // it must not outlive the test that reads it

for (;;) {
  try {
    const list = await api.request<{ metadata: { resourceVersion: string }; items: object[] }>('GET', path);
    for (const object of list.items) print(JSON.stringify({ type: 'LISTED', object }));
    print('{"type":"SYNCED"}');
    const watch = `${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${list.metadata.resourceVersion}`;
    for await (const line of api.lines(watch, 90_000)) print(line);
  } catch {
    await sleep(100); // its API server is down: a test's business, not an error
  }
}

function print(line: string): void {
  if (line) process.stdout.write(`${line}\n`);
}
