/** A real API server on which this product is installed, and controllers of it as processes. No kubelets, no controller manager. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { kubectl, type Kubectl } from '../../../hack/lab/kubectl.ts';
import { ApiServer, type ApiServerOptions } from '../../lease/testing/api-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'operator/main.ts');

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A controller, as long as it is not ended. */
export interface RunningController {
  readonly said: () => string;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export class Installed implements AsyncDisposable {
  readonly server: ApiServer;
  /** Of who may do everything. */
  readonly kubeconfig: string;
  readonly kube: Kubectl;
  readonly #controllers = new Set<ChildProcess>();

  private constructor(server: ApiServer) {
    this.server = server;
    this.kubeconfig = join(server.folder, 'admin.kubeconfig');
    writeFileSync(this.kubeconfig, server.kubeconfig('admin'));
    this.kube = kubectl(this.kubeconfig);
  }

  static async start(options: ApiServerOptions, ...namespaces: readonly string[]): Promise<Installed> {
    const installed = new Installed(await ApiServer.start(options));
    try {
      const { kube } = installed;
      await kube.run('apply', '-f', join(ROOT, 'crds'));
      for (const name of namespaces) {
        await kube.run('create', 'namespace', name);
        // No controller makes it here, and no pod is admitted without.
        await kube.run('create', 'serviceaccount', 'default', '-n', name);
      }
      await kube.run('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
      return installed;
    } catch (error) {
      await installed[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Path of a kubeconfig for a service account. */
  async kubeconfigOf(account: string, namespace: string): Promise<string> {
    const token = (await this.kube.run('create', 'token', account, '-n', namespace)).trim();
    const admin = JSON.parse(this.server.kubeconfig('admin')) as { readonly users: [{ readonly name: string }] };
    const path = join(this.server.folder, `${namespace}-${account}.kubeconfig`);
    writeFileSync(path, JSON.stringify({ ...admin, users: [{ name: admin.users[0].name, user: { token } }] }));
    return path;
  }

  /** `settings`: of the configuration file. */
  startController(settings: object): RunningController {
    const file = join(this.server.folder, `config-${this.#controllers.size}.yaml`);
    writeFileSync(file, stringify({ port: 0, ...settings }));
    const child = this.#spawn(['run', '--config', file]);
    this.#controllers.add(child);
    const said = collect(child);
    return {
      said: () => said.out + said.err,
      end: async (signal) => {
        const ended = once(child, 'close');
        child.kill(signal);
        if (child.exitCode === null && child.signalCode === null) await ended;
      },
    };
  }

  /** Any verb, to its end. */
  async highlander(...args: readonly string[]): Promise<Ended> {
    const child = this.#spawn(args);
    const said = collect(child);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, ...said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#controllers) child.kill('SIGKILL');
    await this.server[Symbol.asyncDispose]();
  }

  #spawn(args: readonly string[]): ChildProcess {
    const env = { PATH: process.env['PATH'], HOME: this.server.folder };
    return spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

function collect(child: ChildProcess): { out: string; err: string } {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  return said;
}
