/** TLS where the server is found by others: they are asked over TLS too, and name the port that speaks it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { selfSigned } from '../cluster/testing/self-signed.ts';
import { RedisStore, type RedisOptions } from './redis.ts';
import { freePort } from '../lib/testing/free-port.ts';
import { RedisServer } from './testing/redis-server.ts';

const call = { timeoutMs: 3000 };
const key = 'highlander-leader-lock:default';
const { cert, key: privateKey } = selfSigned();

/** `--tls-…` settings, of a server whose certificate is its own authority. */
async function tlsSettings(folder: string, port: number): Promise<readonly string[]> {
  const path = (name: string) => join(folder, name);
  await writeFile(path('crt'), cert);
  await writeFile(path('key'), privateKey);
  const files = ['--tls-cert-file', path('crt'), '--tls-key-file', path('key'), '--tls-ca-cert-file', path('crt')];
  return [...files, '--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-replication', 'yes'];
}

async function behindSentinel(servers: AsyncDisposableStack): Promise<RedisOptions> {
  const [masterPort, sentinelPort] = [await freePort(), await freePort()];
  servers.use(await RedisServer.startIn((folder) => tlsSettings(folder, masterPort)));
  servers.use(
    await RedisServer.startIn(async (folder) => {
      const file = join(folder, 'sentinel.conf');
      await writeFile(file, `sentinel monitor m 127.0.0.1 ${masterPort} 1\n`);
      return [file, '--sentinel', ...(await tlsSettings(folder, sentinelPort))];
    }),
  );
  return { sentinel: { masterName: 'm', addrs: [`rediss://localhost:${sentinelPort}`] } };
}

async function inCluster(servers: AsyncDisposableStack): Promise<RedisOptions> {
  const port = await freePort();
  const bus = String(await freePort());
  const mode = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--tls-cluster', 'yes'];
  const node = servers.use(
    await RedisServer.startIn(async (folder) => [...mode, ...(await tlsSettings(folder, port))]),
  );
  await node.command('CLUSTER ADDSLOTSRANGE 0 16383');
  return { cluster: { addrs: [`rediss://localhost:${port}`] } };
}

test.for([
  ['Sentinel', behindSentinel],
  ['a cluster', inCluster],
] as const)('%s is asked over TLS, and so is the server that it names', async ([, start]) => {
  await using servers = new AsyncDisposableStack();
  const options = await start(servers);
  const store = servers.adopt(new RedisStore({ ...options, tls: { ca: cert } }), (opened) => opened.close());
  const answer = () => store.read(key, call).catch(String);
  await expect.poll(answer, { timeout: 10_000 }).toHaveProperty('incarnation');
  expect(await store.write(key, 'a', undefined, call)).toMatchObject({ ok: true });
  const trusting = servers.adopt(new RedisStore(options), (opened) => opened.close());
  await expect(trusting.read(key, call)).rejects.toMatchObject({ message: expect.stringContaining('self-signed') });
});
