/** The registry that the nodes of all clusters of a checkout ask for every image, whatever its name says. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pushImage, type Image } from './image.ts';
import { withLock } from './lock.ts';
import { containerRuntime, RUNTIME } from './packages.ts';
import { runFolder } from './paths.ts';
import { assertAlive, isAlive, startDetached, stopProcess, type ProcessRecord } from './processes.ts';
import { bridgeAddress, ownSlot, type Slot } from './subnet.ts';
import { exampleImages, testImage } from './test-images.ts';
import { waitFor } from './wait.ts';

export function registryAddress(slot: Slot): string {
  return `${bridgeAddress(slot)}:5000`;
}

/** Started with the first cluster; safe to call for each. */
export async function startRegistry(slot: Slot, signal?: AbortSignal): Promise<void> {
  await withLock(`registry-${slot}`, async () => {
    const running = readRecord();
    if (running && isAlive(running)) return;
    const runtime = await containerRuntime();
    const address = registryAddress(slot);
    mkdirSync(folder(), { recursive: true });
    // JSON is YAML too.
    const config = {
      version: '0.1',
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: join(folder(), 'data') } },
      http: { addr: address },
    };
    writeFileSync(join(folder(), 'config.yml'), JSON.stringify(config));
    const command = [join(runtime, RUNTIME.registry), 'serve', join(folder(), 'config.yml')];
    const server = startDetached(command, join(folder(), 'registry.log'), { OTEL_TRACES_EXPORTER: 'none' });
    writeFileSync(recordFile(), JSON.stringify(server));
    await waitFor(
      'the image registry',
      async () => (assertAlive('the registry', server), (await fetch(`http://${address}/v2/`)).ok),
      { signal },
    );
    for (const [name, image] of await exampleImages(runtime)) await pushImage(address, image, name);
  });
}

export async function stopRegistry(): Promise<void> {
  const record = readRecord();
  if (record) await stopProcess(record, 0);
  rmSync(folder(), { recursive: true, force: true });
}

/** Serves an image under a name, for all clusters of this checkout: they must be up. */
export async function serveImage(image: Image, name: string): Promise<void> {
  const slot = ownSlot();
  const record = readRecord();
  if (slot === undefined || !record || !isAlive(record))
    throw new Error('no cluster with real nodes is up here: start one with `make cluster`');
  await pushImage(registryAddress(slot), image, name);
}

/** Serves the shell image under further names. */
export async function serveTestImage(names: readonly string[]): Promise<void> {
  const image = testImage(await containerRuntime());
  for (const name of names) await serveImage(image, name);
}

function folder(): string {
  return join(runFolder(), 'registry');
}

function recordFile(): string {
  return join(folder(), 'process.json');
}

function readRecord(): ProcessRecord | undefined {
  return existsSync(recordFile()) ? (JSON.parse(readFileSync(recordFile(), 'utf8')) as ProcessRecord) : undefined;
}
