/** A client against a fake API server, and the end of both after the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { KubeObject } from '../cluster-client.ts';
import { HttpClusterClient } from '../http-client.ts';
import { PooledKubeConfig } from '../kube-config.ts';
import { FakeApiServer } from './fake-api-server.ts';

export const PODS = '/api/v1/namespaces/a/pods';

export const pod = (name: string, more: Partial<KubeObject> & Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...more,
  metadata: { name, namespace: 'a', ...more.metadata },
});

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'highlander-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a kubeconfig to a file of its own; returns its path. */
export function configFile(text: string): string {
  const file = join(temporaryFolder(), 'config');
  writeFileSync(file, text);
  return file;
}

export interface Fixture {
  readonly server: FakeApiServer;
  readonly client: HttpClusterClient;
  readonly config: PooledKubeConfig;
}

export async function fixture(
  options: { readonly tls?: boolean; readonly clock?: Clock; readonly user?: Record<string, unknown> } = {},
): Promise<Fixture> {
  const server = await FakeApiServer.start(options);
  const config = PooledKubeConfig.load({ path: configFile(server.kubeconfig(options.user)) });
  const client = new HttpClusterClient({ config, clock: options.clock ?? systemClock, userAgent: 'highlander/test' });
  onTestFinished(async () => {
    await client.close();
    await server.stop();
  });
  return { server, client, config };
}

/** Waits, over real time, for what no fake clock can bring about: bytes on a socket. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited 5 s for ${what}`);
    await systemClock.sleep(2);
  }
}
