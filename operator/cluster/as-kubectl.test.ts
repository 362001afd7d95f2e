/** Kubeconfigs, proxies and credential plug-ins are taken as kubectl takes them. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { core } from './cluster-client.ts';
import { ExecPlugin } from './exec-plugin.ts';
import { HttpClusterClient } from './http-client.ts';
import { PooledKubeConfig } from './kube-config.ts';
import { proxyFor } from './proxy.ts';
import { ConnectProxy } from './testing/connect-proxy.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { configFile, fixture, pod, PODS, temporaryFolder } from './testing/fixture.ts';

const at = { namespace: 'a', name: 'p' };
const V1 = 'client.authentication.k8s.io/v1';

/** A kubeconfig whose one context, cluster and user have this name. */
const config = (name: string, server = `https://${name}.example.test:6443`, user: object = { token: name }) =>
  JSON.stringify({
    'current-context': name,
    clusters: [{ name, cluster: { server } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user }],
  });

describe('a list of kubeconfig files', () => {
  it('is merged: the first to name something wins, and missing files are left out', async () => {
    const second = JSON.parse(config('two')) as { users: unknown[] };
    second.users.push({ name: 'one', user: { token: 'overwritten' } });
    const path = ['/no/such', configFile(config('one')), configFile(JSON.stringify(second))].join(delimiter);
    const first = PooledKubeConfig.load({ path });
    expect(first.server).toBe('https://one.example.test:6443');
    expect((await first.transport()).headers).toEqual({ Authorization: 'Bearer one' });
    const other = PooledKubeConfig.load({ path, context: 'two' });
    expect((await other.transport()).headers).toEqual({ Authorization: 'Bearer two' });
    await Promise.all([first.close(), other.close()]);
  });

  it('paths are relative to the file that names them', async () => {
    const file = configFile(config('one', undefined, { tokenFile: 'secrets/token' }));
    mkdirSync(join(dirname(file), 'secrets'));
    writeFileSync(join(dirname(file), 'secrets', 'token'), 'from-file\n');
    const loaded = PooledKubeConfig.load({ path: [configFile(config('two')), file].join(delimiter), context: 'one' });
    expect((await loaded.transport()).headers).toEqual({ Authorization: 'Bearer from-file' });
    await loaded.close();
  });

  it('each file may have a part of it, or nothing', async () => {
    const {
      clusters,
      contexts,
      users,
      'current-context': current,
    } = JSON.parse(config('one')) as Record<string, unknown>;
    const parts = [
      { clusters, users: null },
      { contexts, 'current-context': current },
      { apiVersion: 'v1', users },
    ];
    const files = ['# nothing yet\n', ...parts.map((part) => JSON.stringify(part))].map(configFile);
    const loaded = PooledKubeConfig.load({ path: files.join(delimiter) });
    expect((await loaded.transport()).headers).toEqual({ Authorization: 'Bearer one' });
    await loaded.close();
    expect(() => PooledKubeConfig.load({ path: files.slice(0, 2).join(delimiter) })).toThrow('"contexts" is missing');
  });

  it('a file that was asked for must be there', () => {
    expect(() => PooledKubeConfig.load({ path: '/no/such' })).toThrow('kubeconfig /no/such: cannot be read');
  });
});

describe('a kubeconfig', () => {
  it('is YAML 1.1, of which the first document counts', () => {
    const text = [
      'clusters: [{name: c, cluster: {server: "https://a.example.test", insecure-skip-tls-verify: yes}}]',
      'contexts: [{name: c, context: {cluster: c, user: u}}]',
      'users: [{name: u, user: {}}]',
      'current-context: x',
      'current-context: c',
      '---',
      'clusters: []',
    ].join('\n');
    expect(PooledKubeConfig.load({ path: configFile(text) }).exposure).toHaveLength(1);
  });

  it('needs no user, as behind kubectl proxy', async () => {
    const server = await FakeApiServer.start({ tls: false });
    const raw = JSON.parse(server.kubeconfig()) as { contexts: { context: Record<string, string> }[] };
    const anonymous = {
      ...raw,
      users: null,
      contexts: raw.contexts.map((each) => ({ ...each, context: { cluster: each.context['cluster'] } })),
    };
    const client = new HttpClusterClient({
      config: PooledKubeConfig.load({ path: configFile(JSON.stringify(anonymous)) }),
      clock: systemClock,
      userAgent: 'highlander/test',
    });
    await client.get(core.pods, at).catch(() => undefined);
    await client.close();
    await server.stop();
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
  });

  it.each([
    [{ server: '10.0.0.1:6443', 'insecure-skip-tls-verify': true }, 'https://10.0.0.1:6443'],
    [{ server: 'localhost:8001' }, 'http://localhost:8001'],
    [{ server: 'https://rancher.example.test/k8s/clusters/c-1/' }, 'https://rancher.example.test/k8s/clusters/c-1'],
  ])('a server may be %j', (cluster, expected) => {
    const raw = { ...(JSON.parse(config('one')) as object), clusters: [{ name: 'one', cluster }] };
    expect(PooledKubeConfig.load({ path: configFile(JSON.stringify(raw)) }).server).toBe(expected);
  });
});

describe('impersonation', () => {
  it('sends groups, uid and extra fields', async () => {
    const { server, client } = await fixture({
      user: { as: 'deployer', 'as-groups': ['ops', 'dev'], 'as-uid': '7', 'as-user-extra': { 'a/b': ['c'] } },
    });
    let groups: readonly string[] | undefined;
    server.intercept = ({ headersDistinct }) => {
      groups = headersDistinct['impersonate-group'];
      return false;
    };
    await client.get(core.pods, at);
    expect(groups).toEqual(['ops', 'dev']);
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'impersonate-user': 'deployer',
      'impersonate-uid': '7',
      'impersonate-extra-a%2fb': 'c',
    });
  });
});

describe('a proxy', () => {
  const server = 'https://api.cluster.example.test:6443';

  it.each([
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    [{ https_proxy: 'p:1' }, 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other.test,.example.test' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.test' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'ample.test' }, 'http://p:1'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'api.cluster.example.test:443' }, 'http://p:1'],
    [{ HTTPS_PROXY: 'http://p:1', no_proxy: ' api.cluster.example.test:6443 ' }, undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, undefined],
  ])('with %j leads to %s', (variables, proxy) => {
    expect(proxyFor(server, variables)).toBe(proxy);
  });

  it.each([
    ['https://10.1.2.3', '10.0.0.0/8', undefined],
    ['https://11.1.2.3', '10.0.0.0/8', 'http://p:1'],
    ['https://[fd00::1]:6443', 'fd00::/8', undefined],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', undefined],
    ['https://10.1.2.3', '10.0.0.0/x,10.0.0.0/99', 'http://p:1'],
    ['https://127.0.0.1:6443', '', undefined],
  ])('%s with NO_PROXY=%s: %s', (to, noProxy, proxy) => {
    expect(proxyFor(to, { HTTPS_PROXY: 'http://p:1', NO_PROXY: noProxy })).toBe(proxy);
  });

  it.each(['HTTPS_PROXY', 'proxy-url'])('of %s carries the calls, with its account', async (by) => {
    const api = await FakeApiServer.start({ tls: true });
    api.put(PODS, pod('p'));
    await using proxy = await ConnectProxy.start(Number(new URL(api.url).port));
    const raw = JSON.parse(api.kubeconfig()) as { clusters: { cluster: Record<string, unknown> }[] };
    const cluster = raw.clusters[0]?.cluster ?? {};
    Object.assign(cluster, { server: 'https://api.cluster.example.test:6443', 'tls-server-name': 'localhost' });
    if (by === 'proxy-url') cluster['proxy-url'] = proxy.url('me:pw@');
    const variables = { HTTPS_PROXY: by === 'proxy-url' ? 'http://127.0.0.1:1' : proxy.url('me:pw@') };
    const loaded = PooledKubeConfig.load({ path: configFile(JSON.stringify(raw)), variables });
    const client = new HttpClusterClient({ config: loaded, clock: systemClock, userAgent: 'x' });
    expect(await client.get(core.pods, at)).toMatchObject({ metadata: { name: 'p' } });
    const authorization = `Basic ${Buffer.from('me:pw').toString('base64')}`;
    expect(proxy.asked).toEqual([{ target: 'api.cluster.example.test:6443', authorization }]);
    await client.close();
    await api.stop();
  });
});

/** A plug-in that counts its runs and keeps what it was told; `body` may add to it. */
function plugin(body = '', token = 't-$(wc -l < "$COUNT")') {
  const folder = temporaryFolder();
  const [script, count, info] = ['plugin.sh', 'count', 'info'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const status = `{\\"token\\":\\"${token}\\",\\"expirationTimestamp\\":\\"2036-01-01T00:00:00Z\\"}`;
  const credential = `{\\"apiVersion\\":\\"${V1}\\",\\"kind\\":\\"ExecCredential\\",\\"status\\":${status}}`;
  const lines = [
    '#!/bin/sh',
    'echo run >> "$COUNT"',
    'echo "$KUBERNETES_EXEC_INFO" > "$INFO"',
    body,
    `echo "${credential}"`,
  ];
  writeFileSync(script, lines.join('\n'));
  chmodSync(script, 0o755);
  const env = [
    { name: 'COUNT', value: count },
    { name: 'INFO', value: info },
  ];
  const exec = {
    apiVersion: V1,
    command: './plugin.sh',
    env,
    interactiveMode: 'IfAvailable',
    provideClusterInfo: true,
  };
  return {
    folder,
    script,
    exec,
    runs: () => (existsSync(count) ? readFileSync(count, 'utf8').trim().split('\n').length : 0),
    info: () => JSON.parse(readFileSync(info, 'utf8')) as unknown,
  };
}

async function withPlugin(made: ReturnType<typeof plugin>) {
  const server = await FakeApiServer.start({});
  const path = join(made.folder, 'config');
  writeFileSync(path, server.kubeconfig({ exec: made.exec }));
  const loaded = PooledKubeConfig.load({ path, variables: { PATH: process.env['PATH'] } });
  const client = new HttpClusterClient({ config: loaded, clock: systemClock, userAgent: 'x' });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.stop();
    },
  };
}

describe('a credential plug-in', () => {
  it('runs once for twenty calls at once, beside its kubeconfig, and is told of the cluster', async () => {
    const made = plugin('sleep 0.2');
    await using scene = await withPlugin(made);
    await Promise.all(Array.from({ length: 20 }, () => scene.client.get(core.pods, at)));
    await scene.client.get(core.pods, at);
    expect(made.runs()).toBe(1);
    expect(scene.server.requests[0]?.headers.authorization).toBe('Bearer t-1');
    expect(made.info()).toMatchObject({
      apiVersion: V1,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: scene.server.url } },
    });
  });

  it('runs once more for twenty calls that are refused', async () => {
    const made = plugin();
    await using scene = await withPlugin(made);
    scene.server.intercept = (request, response) =>
      request.headers.authorization !== 'Bearer t-2' &&
      Boolean(response.writeHead(401).end('{"kind":"Status","reason":"Unauthorized"}'));
    await Promise.all(Array.from({ length: 20 }, () => scene.client.get(core.pods, at)));
    expect(made.runs()).toBe(2);
  });

  it('has a time limit, with all that it has started, and nothing to read', async () => {
    const made = plugin('cat; sleep 600 & wait');
    const hung = new ExecPlugin({
      exec: { ...made.exec, command: made.script },
      cluster: {},
      variables: { PATH: process.env['PATH'] },
      limitMs: 300,
    });
    await expect(hung.credentials()).rejects.toThrow(/credential plug-in .*plugin\.sh did not answer within 0\.3 s/);
  });

  it.each([
    ['that ends with an error', { body: 'echo no login >&2; exit 3' }, /ended with code 3: no login/],
    ['that prints something else', { body: 'echo {}; exit 0' }, /did not print an ExecCredential/],
    ['that is not there', { exec: { command: '/no/such' } }, /\/no\/such cannot be run: .*ENOENT/],
    ['that needs a terminal', { exec: { interactiveMode: 'Always' } }, /requires a terminal/],
    ['of another version', { exec: { apiVersion: 'a/v1' } }, /has the unsupported apiVersion "a\/v1"/],
  ])('%s says so', async (_, { body, exec }: { body?: string; exec?: object }, message) => {
    const made = plugin(body);
    const failing = new ExecPlugin({
      exec: { ...made.exec, command: made.script, installHint: 'Install it', ...exec },
      cluster: {},
      variables: { PATH: process.env['PATH'] },
    });
    const error = await failing.credentials().catch((reason: unknown) => reason);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain('Install it');
  });

  it('runs again when what it gave has expired', async () => {
    const made = plugin();
    let wall = Date.parse('2035-12-31T23:59:59Z');
    const expiring = new ExecPlugin({
      exec: { ...made.exec, command: made.script },
      cluster: {},
      variables: { PATH: process.env['PATH'] },
      clock: { ...systemClock, wall: () => wall, after: (ms, run) => systemClock.after(ms, run) },
    });
    expect(await expiring.credentials()).toEqual({ token: 't-1' });
    expect(await expiring.credentials()).toEqual({ token: 't-1' });
    wall += 2000;
    expect(await expiring.credentials()).toEqual({ token: 't-2' });
  });
});
