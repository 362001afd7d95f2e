/** The Cloud Spanner emulator of the Google Cloud SDK on a free loopback port; it keeps nothing when it ends. */
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { ChildServer } from './child-server.ts';
import { freePort } from '../../lib/testing/free-port.ts';
import type { ServerAddress } from './fault-proxy.ts';

const install =
  'install it with `gcloud components install cloud-spanner-emulator` or `apt-get install google-cloud-cli-spanner-emulator`';

/** Why there is no emulator on this machine; `undefined` when there is one. In CI it must be there: throws. */
export function missingEmulator(): string | undefined {
  if (emulatorBinary() !== undefined) return undefined;
  const reason = `the Cloud Spanner emulator is missing: ${install}`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

export class SpannerEmulator implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly #process: ChildServer;

  private constructor(port: number) {
    this.address = { host: '127.0.0.1', port };
    const binary = emulatorBinary() ?? 'emulator_main';
    this.#process = new ChildServer(binary, [`--host_port=127.0.0.1:${port}`], install);
  }

  static async start(): Promise<SpannerEmulator> {
    const emulator = new SpannerEmulator(await freePort());
    await emulator.restart();
    return emulator;
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** After `kill`: the same port, without any instance. */
  restart(): Promise<void> {
    return this.#process.start(() => listens(this.address));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** Beside the `gcloud` of the search path, or where that one says. */
function emulatorBinary(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const gcloud = folders.map((folder) => join(folder, 'gcloud')).find((path) => existsSync(path));
  if (gcloud === undefined) return undefined;
  const below = (bin: string) => join(bin, 'cloud_spanner_emulator', 'emulator_main');
  const beside = below(dirname(realpathSync(gcloud)));
  if (existsSync(beside)) return beside;
  const root = execFileSync(gcloud, ['info', '--format=value(installation.sdk_root)'], { encoding: 'utf8' }).trim();
  const installed = below(join(root, 'bin'));
  return existsSync(installed) ? installed : undefined;
}

function listens({ host, port }: ServerAddress): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', reject);
  });
}
