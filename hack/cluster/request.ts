/**
 * One request, its answer on standard output: a program of its own, so that it can run inside a cluster that is cut off.
 *   node hack/cluster/request.ts KUBECONFIG METHOD PATH-OR-URL [BODY]
 */

import { ApiClient } from './api.ts';

const [kubeconfig = '', method = 'GET', path = '', body] = process.argv.slice(2);
const api = ApiClient.fromKubeconfig(kubeconfig);
try {
  const options = body === undefined ? {} : { body: JSON.parse(body) as unknown };
  process.stdout.write(JSON.stringify(await api.request(method, path, options)));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
api.close();
