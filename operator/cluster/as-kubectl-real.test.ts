/** What only a real API server can judge: rights by impersonated groups, and TLS through a proxy. */
import { describe, expect, it, beforeAll, afterAll } from 'vitest';
import { ApiServer } from '../lease/testing/api-server.ts';
import { systemClock } from '../lib/clock.ts';
import { core } from './cluster-client.ts';
import { HttpClusterClient } from './http-client.ts';
import { PooledKubeConfig } from './kube-config.ts';
import { ConnectProxy } from './testing/connect-proxy.ts';
import { configFile } from './testing/fixture.ts';

describe('at a real API server', () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await ApiServer.start();
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());

  async function readKubeSystem(more: {
    readonly user?: object;
    readonly cluster?: object;
    readonly variables?: Record<string, string>;
  }) {
    const raw = JSON.parse(server.kubeconfig('admin')) as {
      users: { user: object }[];
      clusters: { cluster: object }[];
    };
    Object.assign(raw.users[0]?.user ?? {}, more.user);
    Object.assign(raw.clusters[0]?.cluster ?? {}, more.cluster);
    const path = configFile(JSON.stringify(raw));
    const config = PooledKubeConfig.load({ path, ...(more.variables && { variables: more.variables }) });
    const client = new HttpClusterClient({ config, clock: systemClock, userAgent: 'x' });
    try {
      return await client.get(core.namespaces, { name: 'kube-system' });
    } finally {
      await client.close();
    }
  }

  it('groups of whom a user acts as count, each by itself', async () => {
    const as = { as: 'somebody' };
    await expect(readKubeSystem({ user: as })).rejects.toMatchObject({ code: 403 });
    const groups = { 'as-groups': ['others', 'system:masters'] };
    expect(await readKubeSystem({ user: { ...as, ...groups } })).toMatchObject({ metadata: { name: 'kube-system' } });
  });

  it('a proxy of the environment leads to it, TLS from end to end', async () => {
    await using proxy = await ConnectProxy.start(server.address.port);
    const cluster = { server: 'https://api.cluster.example.test:6443', 'tls-server-name': '127.0.0.1' };
    const found = await readKubeSystem({ cluster, variables: { HTTPS_PROXY: proxy.url() } });
    expect(found).toMatchObject({ metadata: { name: 'kube-system' } });
    expect(proxy.asked.map(({ target }) => target)).toEqual(['api.cluster.example.test:6443']);
  });
});
