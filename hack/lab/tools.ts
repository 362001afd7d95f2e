/** Programs from Debian that tests and the demo need besides the clusters' own. */
import { install } from '../cluster/packages.ts';

export async function installRedis(): Promise<void> {
  await install({ 'redis-server': 'redis-server' });
}
