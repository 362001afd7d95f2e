/**
 * Where the API server is and who we are there: client-node's kubeconfig and authentication providers, with connections
 * that are shared by all calls (client-node opens one per call) and are made anew when certificates change.
 */
import { createHash } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { applySelection, type ConfigSelection, loadTokenFiles, readConfigFile } from './kube-config-file.ts';
import { makePools, type Pools, type PoolOptions } from './pools.ts';

/** What a request needs to reach the API server. */
export interface Transport extends Pools {
  /** Credentials of this moment. Never to be logged. */
  readonly headers: Readonly<Record<string, string>>;
}

export class PooledKubeConfig extends KubeConfig {
  /** Holds client-node's providers with what they cached; replaced to make them forget it. */
  #providers: KubeConfig | undefined;
  #pools: Pools | undefined;
  #fingerprint = '';
  readonly #retired = new Set<Pools>();

  /**
   * Reads a kubeconfig: the file at `path`, or what kubectl would take (`$KUBECONFIG`, `~/.kube/config`), or the
   * service account of the pod. Throws an error that names the file and the key that is missing or wrong.
   */
  static load(selection: ConfigSelection = {}): PooledKubeConfig {
    const config = new PooledKubeConfig();
    if (selection.path === undefined) config.#loadDefault();
    else config.loadFromFile(selection.path);
    applySelection(config, selection);
    return config;
  }

  #loadDefault(): void {
    this.loadFromDefault();
    const nothingFound = this.getCurrentContext() === 'loaded-context' && this.server === 'http://localhost:8080';
    if (nothingFound)
      throw new Error('There is no kubeconfig ($KUBECONFIG, ~/.kube/config) and no service account of a pod');
  }

  override loadFromFile(...[file, options]: Parameters<KubeConfig['loadFromFile']>): void {
    const text = readConfigFile(file);
    super.loadFromFile(file, options);
    this.users = loadTokenFiles(this.users, file, text);
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
    return { ...(await this.#poolsFor(options)), headers: headersOf(options) };
  }

  /** Makes the providers forget what they cached, so that the next call reads tokens anew: for after a 401. */
  dropCredentials(): void {
    this.#providers = undefined;
  }

  /** Authenticates the typed clients of client-node, over the shared connections. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const transport = await this.transport();
    for (const [name, value] of Object.entries(transport.headers)) context.setHeaderParam(name, value);
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
    if (!dispatcher) throw new Error('No connection for the SOCKS proxy');
    return { calls: dispatcher, watches: dispatcher };
  }

  /** Lets what is under way on old connections end: calls soon, watches within their own time limit. */
  #retire(pools: Pools): void {
    this.#retired.add(pools);
    const forget = (): void => void this.#retired.delete(pools);
    Promise.all([pools.calls.close(), pools.watches.close()]).then(forget, forget);
  }
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
