import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { core } from './cluster-client.ts';
import { HttpClusterClient } from './http-client.ts';
import { PooledKubeConfig } from './kube-config.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { configFile, fixture, pod, PODS, temporaryFolder, until } from './testing/fixture.ts';

const at = { namespace: 'a', name: 'p' };
const entry = (name: string, kind: 'cluster' | 'user' | 'context', value: unknown): unknown => ({
  name,
  [kind]: value,
});
const twoClusters = {
  clusters: [entry('A', 'cluster', { server: 'https://a' }), entry('B', 'cluster', { server: 'https://b' })],
  users: [
    entry('ua', 'user', { token: 'ta' }),
    entry('ub', 'user', { token: 'tb' }),
    entry('ub2', 'user', { token: 'tb2' }),
  ],
  contexts: [
    entry('in-a', 'context', { cluster: 'A', user: 'ua' }),
    entry('in-b', 'context', { cluster: 'B', user: 'ub' }),
  ],
  'current-context': 'in-a',
};
const load = (config: unknown, selection: Parameters<typeof PooledKubeConfig.load>[0] = {}): PooledKubeConfig =>
  PooledKubeConfig.load({ path: configFile(JSON.stringify(config)), ...selection });

afterEach(() => vi.unstubAllEnvs());

describe('connections', () => {
  it('uses at most 32 TLS connections for 300 calls at once, and two for 300 in a row', async () => {
    const { server, client } = await fixture({ tls: true });
    server.put(PODS, pod('p'));
    for (let n = 0; n < 300; n++) await client.get(core.pods, at);
    expect(server.connections).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 300 }, () => client.get(core.pods, at)));
    expect(server.connections).toBeLessThanOrEqual(32);
  });

  it('gives the typed clients of client-node the same connections', async () => {
    const { server, config } = await fixture({ tls: true });
    server.put(PODS, pod('p'));
    const api = config.makeApiClient(CoreV1Api);
    for (let n = 0; n < 20; n++) await api.readNamespacedPod(at);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('lets no call wait behind watches', async () => {
    const { server, client } = await fixture();
    const controller = new AbortController();
    const options = { resourceVersion: '0', timeoutSeconds: 250, idleMs: 60_000, signal: controller.signal };
    const watches = Array.from({ length: 40 }, async () => {
      for await (const _ of client.watch(core.pods, options)) continue;
    });
    await until(() => server.watches.size === 40);
    expect(await client.get(core.pods, at)).toBeUndefined();
    controller.abort(new Error('done'));
    await Promise.allSettled(watches);
  });

  it('connects anew when certificates change, and only then', async () => {
    const { server, client, config } = await fixture({ tls: true });
    const before = (await config.transport()).calls;
    await client.get(core.pods, at);
    expect((await config.transport()).calls).toBe(before);
    const other = await FakeApiServer.start({ tls: true });
    Object.assign(config.clusters[0]!, { caData: Buffer.from(other.certificate!.cert).toString('base64') });
    await expect(client.get(core.pods, at)).rejects.toThrow('certificate');
    Object.assign(config.clusters[0]!, { caData: Buffer.from(server.certificate!.cert).toString('base64') });
    expect(await client.get(core.pods, at)).toBeUndefined();
    await other.stop();
  });

  it('goes through an HTTP proxy when the cluster names one', async () => {
    const { server } = await fixture();
    const proxied = JSON.parse(server.kubeconfig()) as { clusters: { cluster: Record<string, unknown> }[] };
    proxied.clusters[0]!.cluster['proxy-url'] = server.url;
    proxied.clusters[0]!.cluster['server'] = 'http://nowhere.example';
    const config = load(proxied);
    const client = new HttpClusterClient({ config, clock: systemClock, userAgent: 'x' });
    expect(await client.get(core.pods, at)).toBeUndefined();
    expect(server.requests.at(-1)?.headers.host).toBe('nowhere.example');
    await config.close();
  });
});

describe('credentials', () => {
  it('reads the token file again after 401, once', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'old\n');
    const { server, client } = await fixture({ user: { tokenFile: file } });
    server.intercept = (request, response) =>
      request.headers.authorization !== 'Bearer new' &&
      Boolean(response.writeHead(401).end('{"kind":"Status","reason":"Unauthorized"}'));
    await expect(client.get(core.pods, at)).rejects.toMatchObject({ code: 401, reason: 'Unauthorized' });
    expect(server.requests.map((request) => request.headers.authorization)).toEqual(['Bearer old', 'Bearer old']);
    writeFileSync(file, 'new\n');
    expect(await client.get(core.pods, at)).toBeUndefined();
    expect(server.requests).toHaveLength(4);
  });

  it('runs a credential plug-in, and keeps its deadline when the plug-in hangs', async () => {
    const plugin = join(temporaryFolder(), 'plugin');
    writeFileSync(
      plugin,
      '#!/bin/sh\necho \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-plugin"}}\'\n',
    );
    chmodSync(plugin, 0o755);
    const { server, client } = await fixture({
      user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin } },
    });
    await client.get(core.pods, at);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer from-plugin');
    const hung = {
      server: server.url,
      transport: () => new Promise<never>(() => {}),
      dropCredentials() {},
      close: async () => {},
    };
    const stuck = new HttpClusterClient({ config: hung, clock: systemClock, userAgent: 'x' });
    await expect(stuck.get(core.pods, at, { timeoutMs: 5 })).rejects.toThrow('no answer within 5 ms');
  });

  it('sends basic authentication and impersonation', async () => {
    const { server, client } = await fixture({ user: { username: 'u', password: 'p', as: 'someone' } });
    await client.get(core.pods, at);
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Basic dTpw', 'impersonate-user': 'someone' });
  });
});

describe('PooledKubeConfig.load', () => {
  it('takes the user of the context that names the cluster, never the current one of another cluster', async () => {
    const config = load(twoClusters, { cluster: 'B' });
    expect(config.server).toBe('https://b');
    expect((await config.transport()).headers).toEqual({ Authorization: 'Bearer tb' });
    expect((await load(twoClusters, { context: 'in-b' }).transport()).headers).toEqual({ Authorization: 'Bearer tb' });
    await config.close();
  });

  it.each([
    ['a context that is not there', { context: 'x' }, 'context "x" does not exist; contexts: in-a, in-b'],
    ['a cluster that no context names', { cluster: 'C' }, 'cluster "C" is not used by any context; clusters: A, B'],
    ['a context of another cluster', { context: 'in-a', cluster: 'B' }, 'context "in-a" is for cluster "A", not "B"'],
  ])('refuses %s', (_, selection, message) => {
    expect(() => load(twoClusters, selection)).toThrow(message);
  });

  it('asks which context when several users have the cluster', () => {
    const contexts = [...twoClusters.contexts, entry('in-b2', 'context', { cluster: 'B', user: 'ub2' })];
    expect(() => load({ ...twoClusters, contexts }, { cluster: 'B' })).toThrow(
      'select one of these contexts: in-b, in-b2',
    );
  });

  it('says which file and which key is missing or wrong', () => {
    expect(() => PooledKubeConfig.load({ path: '/nowhere/config' })).toThrow(
      'kubeconfig /nowhere/config: cannot be read: ENOENT',
    );
    expect(() => load({ contexts: [] })).toThrow(/kubeconfig .*config: "clusters" is missing/);
    expect(() => load({ ...twoClusters, contexts: {} })).toThrow(/kubeconfig .*config: "contexts" is not a list/);
    expect(() => PooledKubeConfig.load({ path: configFile('a: [') })).toThrow('is not valid YAML');
    expect(() => load({ ...twoClusters, users: [] })).toThrow(
      'context "in-a" names user "ua", which is missing from "users"',
    );
    expect(() => load({ ...twoClusters, clusters: [] })).toThrow('names cluster "A", which is missing from "clusters"');
    const { 'current-context': _, ...noCurrent } = twoClusters;
    expect(() => load(noCurrent)).toThrow('"current-context" is missing');
  });

  it('says so when there is neither a kubeconfig nor a service account', () => {
    expect(() => PooledKubeConfig.load()).toThrow('Found neither a kubeconfig');
  });

  it('takes the service account in a pod, whatever lies in the home directory', () => {
    const home = temporaryFolder();
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube', 'config'), JSON.stringify(twoClusters));
    const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', HOME: home };
    for (const [name, value] of Object.entries(inPod)) vi.stubEnv(name, value);
    expect(PooledKubeConfig.load({ variables: inPod }).server).toBe('https://10.0.0.1:443');
  });
});
