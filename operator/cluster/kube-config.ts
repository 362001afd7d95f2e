/**
 * Where the API server is and who we are there: client-node's kubeconfig and authentication providers, with connections
 * that are shared by all calls (client-node opens one per call) and are made anew when certificates change.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { isLocalHost } from '../lib/local-host.ts';
import { ExecPlugin, type ExecConfig, type ExecCredentials } from './exec-plugin.ts';
import {
  applySelection,
  type ConfigSelection,
  impersonation,
  loadTokenFiles,
  type RawConfig,
} from './kube-config-file.ts';
import { readConfigFiles } from './kube-config-merge.ts';
import { proxyFor, type Variables } from './proxy.ts';
import { makePools, type Pools, type PoolOptions } from './pools.ts';

/** What a request needs to reach the API server. */
export interface Transport extends Pools {
  /** Credentials of this moment. Never to be logged. */
  readonly headers: Headers;
  /** Of a plug-in; to be handed back when the server refuses them. */
  readonly used?: ExecCredentials | undefined;
}

/** Several values: the header is sent several times. */
type Headers = Readonly<Record<string, string | string[]>>;

/** The kubeconfig, with connections that all calls share. */
export class PooledKubeConfig extends KubeConfig {
  /** Holds client-node's providers with what they cached; replaced to make them forget it. */
  #providers: KubeConfig | undefined;
  #pools: Pools | undefined;
  #fingerprint = '';
  /** Of the current user, when it has one. */
  #plugin: ExecPlugin | undefined;
  #impersonation: Headers = {};
  readonly #retired = new Set<Pools>();

  /**
   * Reads a kubeconfig: the files at `path`, or the service account of the pod. Throws an error that names the file and
   * the key that is missing or wrong.
   */
  static load(selection: ConfigSelection = {}): PooledKubeConfig {
    const { path, variables = {} } = selection;
    const config = new PooledKubeConfig();
    const raw = path === undefined ? config.#loadServiceAccount(variables) : config.#loadFiles(path);
    applySelection(config, selection);
    config.#complete(raw, variables);
    return config;
  }

  #loadServiceAccount(variables: Variables): RawConfig {
    if (!variables['KUBERNETES_SERVICE_HOST'])
      throw new Error(
        'Found neither a kubeconfig (cluster.kubeconfig, $KUBECONFIG, ~/.kube/config) nor a service account of a pod',
      );
    this.loadFromCluster();
    return {};
  }

  #loadFiles(path: string): RawConfig {
    const raw = readConfigFiles(path);
    this.loadFromString(JSON.stringify(raw));
    this.users = loadTokenFiles(this.users, raw);
    return raw;
  }

  /** What client-node does otherwise than kubectl, or not at all. */
  #complete(raw: RawConfig, variables: Variables): void {
    const [cluster, user] = [this.getCurrentCluster(), this.getCurrentUser()];
    const fields = (list: 'clusters' | 'users', name: string | undefined) =>
      raw[list]?.find((entry) => entry.name === name)?.[list === 'users' ? 'user' : 'cluster'] ?? {};
    const proxyUrl = cluster?.proxyUrl ?? (cluster && proxyFor(cluster.server, variables));
    if (proxyUrl) this.clusters = this.clusters.map((each) => (each === cluster ? { ...each, proxyUrl } : each));
    const rawUser = fields('users', user?.name);
    this.#impersonation = impersonation(rawUser);
    if (!rawUser['exec']) return;
    this.#plugin = new ExecPlugin({
      exec: rawUser['exec'] as ExecConfig,
      cluster: withData(fields('clusters', cluster?.name)),
      variables,
    });
    this.users = this.users.map(({ exec: _, ...rest }) => rest);
  }

  /** What others could read or change of the traffic with the API server, a sentence each. */
  get exposure(): readonly string[] {
    const cluster = this.getCurrentCluster();
    const { protocol, hostname } = new URL(this.server);
    if (protocol === 'http:')
      return isLocalHost(hostname)
        ? []
        : [`kubeconfig: the connection to ${this.server} is not encrypted; use https://`];
    if (cluster?.skipTLSVerify !== true) return [];
    const fix = 'use certificate-authority-data';
    return [`kubeconfig: insecure-skip-tls-verify is set: the certificate of ${this.server} is not verified; ${fix}`];
  }

  /** Address of the API server of the current context. Throws when there is none. */
  get server(): string {
    const cluster = this.getCurrentCluster();
    if (!cluster) throw new Error(`The kubeconfig has no cluster for its context "${this.getCurrentContext() ?? ''}"`);
    return cluster.server;
  }

  /** Credentials (the token file re-read, the plug-in run, as its provider finds necessary) and shared connections. */
  async transport(): Promise<Transport> {
    if (!this.#providers) {
      this.#providers = new KubeConfig();
      this.#providers.loadFromOptions(this);
    }
    const options: RequestOptions = {};
    await this.#providers.applyToHTTPSOptions(options);
    const used = await this.#plugin?.credentials();
    if (used?.cert !== undefined) Object.assign(options, { cert: used.cert, key: used.key });
    const bearer = used?.token === undefined ? {} : { Authorization: `Bearer ${used.token}` };
    const headers = { ...headersOf(options), ...this.#impersonation, ...bearer };
    return { ...(await this.#poolsFor(options)), headers, used };
  }

  /** Makes the providers forget what they cached, so that the next call reads tokens anew: for after a 401. */
  dropCredentials({ used }: Pick<Transport, 'used'> = {}): void {
    this.#providers = undefined;
    if (used) this.#plugin?.drop(used);
  }

  /** Authenticates the typed clients of client-node, over the shared connections. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const transport = await this.transport();
    for (const [name, value] of Object.entries(transport.headers)) context.setHeaderParam(name, String(value));
    context.setDispatcher(transport.calls);
  }

  /** Cuts all connections, those of watches included. */
  async close(): Promise<void> {
    const all = [...this.#retired, ...(this.#pools ? [this.#pools] : [])];
    this.#pools = undefined;
    this.#retired.clear();
    await Promise.all(all.flatMap((pools) => [pools.calls.destroy(), pools.watches.destroy()]));
  }

  async #poolsFor(options: RequestOptions): Promise<Pools> {
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
    const tls = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
    const proxyUrl = this.getCurrentCluster()?.proxyUrl ?? '';
    const fingerprint = fingerprintOf([this.server, proxyUrl, ...Object.values(tls)]);
    if (this.#pools && fingerprint === this.#fingerprint) return this.#pools;
    const made = proxyUrl.startsWith('socks')
      ? await this.#socksPools()
      : makePools({ tls: defined(tls), ...(proxyUrl ? { proxyUrl } : {}) });
    if (this.#pools) this.#retire(this.#pools);
    this.#fingerprint = fingerprint;
    return (this.#pools = made);
  }

  /** client-node alone can speak SOCKS: its dispatcher is shared by everything and has no bound. */
  async #socksPools(): Promise<Pools> {
    const context = new RequestContext(this.server, 'GET');
    await super.applySecurityAuthentication(context);
    const dispatcher: Dispatcher | undefined = context.getDispatcher();
    if (!dispatcher) throw new Error('Cannot connect through the SOCKS proxy');
    return { calls: dispatcher, watches: dispatcher };
  }

  /** Lets what is under way on old connections end: calls soon, watches within their own time limit. */
  #retire(pools: Pools): void {
    this.#retired.add(pools);
    const forget = (): void => void this.#retired.delete(pools);
    Promise.all([pools.calls.close(), pools.watches.close()]).then(forget, forget);
  }
}

/** The authority itself rather than its file: a plug-in is not to read our files. */
function withData(cluster: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { 'certificate-authority': file, extensions, ...rest } = cluster;
  const extension = Array.isArray(extensions)
    ? (extensions as { readonly name?: string; readonly extension?: unknown }[]).find(
        ({ name }) => name === 'client.authentication.k8s.io/exec',
      )?.extension
    : undefined;
  return {
    ...rest,
    ...(typeof file === 'string' ? { 'certificate-authority-data': readFileSync(file).toString('base64') } : {}),
    ...(extension === undefined ? {} : { config: extension }),
  };
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  // A token file may end with a line feed, which no header may contain.
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
  return headers;
}

function fingerprintOf(parts: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(JSON.stringify(part) ?? '');
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('base64');
}

function defined(tls: Record<string, unknown>): PoolOptions['tls'] {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
