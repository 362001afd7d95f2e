import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildServer } from './child-server.ts';
import { freePort } from '../../lib/testing/free-port.ts';
import { faketime } from './faketime.ts';
import type { ServerAddress } from './fault-proxy.ts';

/** The multi-call binary with etcd and kube-apiserver. */
export function kubernetesBinary(): string {
  const path = process.env['HIGHLANDER_TEST_KUBERNETES_BINARY'];
  if (path === undefined) throw new Error(`HIGHLANDER_TEST_KUBERNETES_BINARY is not set: ${install}`);
  return path;
}

const install = 'build it with `npm run prepare:tests`';

export interface ApiServerOptions {
  /** Beside those that are on by default. */
  readonly admissionPlugins?: readonly string[];
  /** Writes a line for each request to `audit.log` in its folder. */
  readonly audit?: boolean;
}

/** An API server with its etcd on free loopback ports, in a folder of its own; nothing else of a cluster. */
export class ApiServer implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly folder: string;
  readonly #etcd: ChildServer;
  readonly #apiServer: ChildServer;

  private constructor(folder: string, ports: readonly [number, number, number], options: ApiServerOptions) {
    const [port, etcdPort, peerPort] = ports;
    const [clients, peers] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
    this.address = { host: '127.0.0.1', port };
    this.folder = folder;
    this.#etcd = new ChildServer(kubernetesBinary(), ['etcd', ...etcdFlags(folder, clients, peers)], install);
    this.#apiServer = new ChildServer(
      kubernetesBinary(),
      ['kube-apiserver', ...apiServerFlags(folder, port, clients), ...optionFlags(folder, options)],
      install,
    );
  }

  static async start(options: ApiServerOptions = {}): Promise<ApiServer> {
    const folder = await mkdtemp(join(tmpdir(), 'highlander-api-'));
    const server = new ApiServer(folder, [await freePort(), await freePort(), await freePort()], options);
    try {
      await writeFile(join(folder, 'audit.yaml'), AUDIT_POLICY);
      makeCertificates(folder);
      await server.#etcd.start(async () => true);
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  pause(): void {
    this.#apiServer.pause();
  }

  resume(): void {
    this.#apiServer.resume();
  }

  /** The API server only: etcd, and with it the data, stays. */
  kill(): Promise<void> {
    return this.#apiServer.kill();
  }

  restart(): Promise<void> {
    return this.#apiServer.start(() => this.#ready(), 40_000);
  }

  /** A kubeconfig as text, for `user` of `makeCertificates`, through `address` instead of the server's own. */
  kubeconfig(user: 'admin' | 'stranger', { host, port } = this.address): string {
    const file = (name: string) => join(this.folder, name);
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'test', cluster: { server: `https://${host}:${port}`, 'certificate-authority': file('ca.crt') } },
      ],
      users: [{ name: user, user: { 'client-certificate': file(`${user}.crt`), 'client-key': file(`${user}.key`) } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
      'current-context': 'test',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#apiServer.kill();
    await this.#etcd.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    const file = (name: string) => join(this.folder, name);
    const credentials = ['--cacert', file('ca.crt'), '--cert', file('admin.crt'), '--key', file('admin.key')];
    await reachable(this.address);
    const url = `https://127.0.0.1:${this.address.port}`;
    for (const path of ['/readyz', '/api/v1/namespaces/kube-system', '/api/v1/namespaces/default']) {
      execFileSync('curl', ['-sf', '-m', '2', ...credentials, '-o', '/dev/null', url + path], { stdio: 'ignore' });
    }
    return true;
  }
}

function etcdFlags(folder: string, clients: string, peers: string): readonly string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(folder: string, port: number, etcd: string): readonly string[] {
  const file = (name: string) => join(folder, name);
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--cert-dir=${file('apiserver')}`,
    '--anonymous-auth=false',
    '--allow-privileged=true',
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('server.crt')}`,
    `--service-account-signing-key-file=${file('server.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--profiling=false',
  ];
}

const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'], // a watch that goes on has only started
  rules: [{ level: 'Metadata' }],
});

function optionFlags(folder: string, { admissionPlugins = [], audit = false }: ApiServerOptions): readonly string[] {
  const plugins = admissionPlugins.length > 0 ? [`--enable-admission-plugins=${admissionPlugins.join(',')}`] : [];
  const log = [`--audit-policy-file=${join(folder, 'audit.yaml')}`, `--audit-log-path=${join(folder, 'audit.log')}`];
  return [...plugins, ...(audit ? log : [])];
}

/**
 * `admin` may do everything, `stranger` is signed by an authority that the server does not know. Made a day ago, so that
 * a client whose clock is behind takes them too.
 */
function makeCertificates(folder: string): void {
  const env = { ...process.env, ...faketime(-86_400) };
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, env, stdio: 'ignore' });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const leaf = (name: string, subject: string, authority: string) => {
    const signed = ['-x509', '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-days', '30'];
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'];
    openssl(...request, ...signed, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', subject, ...names);
  };
  for (const ca of ['ca', 'other-ca'])
    openssl(...request, '-x509', '-keyout', `${ca}.key`, '-out', `${ca}.crt`, '-subj', `/CN=${ca}`);
  leaf('server', '/CN=kube-apiserver', 'ca');
  leaf('admin', '/O=system:masters/CN=admin', 'ca');
  leaf('stranger', '/CN=stranger', 'other-ca');
}

function reachable({ host, port }: ServerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
