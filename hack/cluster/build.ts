/** The one binary with etcd and all Kubernetes servers: built from hack/control-plane once per machine, and shared. */

import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { cacheFolder, CHECKOUT, shortHash } from './paths.ts';
import { say, startProgress, type Progress } from './progress.ts';
import { isExecutable, run, which } from './shell.ts';

const MODULE = join(CHECKOUT, 'hack/control-plane');

/** Path of the binary, built if need be. */
export async function controlPlaneBinary(signal?: AbortSignal): Promise<string> {
  const path = controlPlanePath();
  if (isExecutable(path)) return path;
  const wait = (): void => say('another start is building Kubernetes: waiting for it');
  await withLock('build', async () => (isExecutable(path) ? undefined : build(path, signal)), wait);
  return path;
}

/** The name tells the versions, and changes with our sources, so that an old binary is never taken for the wanted one. */
export function controlPlanePath(): string {
  const sources = ['main.go', 'go.mod', 'go.sum'].map((file) => readFileSync(join(MODULE, file), 'utf8'));
  const name = ['control-plane', `k8s${kubernetesVersion()}`, `etcd${requiredVersion('go.etcd.io/etcd/server/v3')}`];
  return join(cacheFolder(), 'bin', [...name, process.platform, process.arch, shortHash(...sources)].join('-'));
}

/** As `1.36.4`. */
export function kubernetesVersion(): string {
  return requiredVersion('k8s.io/kubernetes');
}

function requiredVersion(module: string): string {
  const text = readFileSync(join(MODULE, 'go.mod'), 'utf8');
  const version = text
    .split('\n')
    .map((line) => line.trim().split(' '))
    .find(([name]) => name === module)?.[1];
  if (!version) throw new Error(`hack/control-plane/go.mod does not require ${module}`);
  return version.replace(/^v/, '');
}

async function build(path: string, signal: AbortSignal | undefined): Promise<void> {
  const go = which('go') ?? ['/usr/local/go/bin/go'].find(isExecutable);
  if (!go)
    throw new Error(
      'Go is needed to build Kubernetes, once: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver',
    );
  const version = kubernetesVersion();
  say(
    `building Kubernetes ${version} and etcd: once per machine, about 6 minutes on 2 cores, then cached in ${cacheFolder()}`,
  );
  const progress = startProgress();
  const temporary = `${path}.new`; // one name is enough: there is one build at a time, and it takes over what a killed one left
  mkdirSync(join(path, '..'), { recursive: true });
  try {
    await compile(go, temporary, progress, signal);
    renameSync(temporary, path);
    progress.done(`built Kubernetes ${version}`);
  } finally {
    progress.done();
    rmSync(temporary, { force: true });
  }
}

async function compile(go: string, output: string, progress: Progress, signal: AbortSignal | undefined): Promise<void> {
  const options = { cwd: MODULE, env: { ...process.env, CGO_ENABLED: '0' }, signal };
  let downloads = 0;
  progress.update('downloading modules');
  const onDownload = (line: string): void => {
    if (line.startsWith('go: downloading')) progress.update(`downloading modules ${++downloads}`);
  };
  const packages = await run([go, 'list', '-deps', '.'], { ...options, onErrorLine: onDownload });
  const total = packages.trim().split('\n').length;
  let compiled = 0;
  progress.update('compiling');
  const onCompile = (): void => progress.update(++compiled < total ? `compiling ${compiled}/${total}` : 'linking');
  await run([go, 'build', '-v', '-trimpath', '-ldflags', linkerFlags(kubernetesVersion()), '-o', output, '.'], {
    ...options,
    onErrorLine: onCompile,
  });
}

/** Without them the servers call themselves v0.0.0-master, which clients that compare versions refuse. */
function linkerFlags(version: string): string {
  const [major, minor] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']; // the second is what user agents tell
  const settings = packages.flatMap((name) =>
    Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`),
  );
  return ['-s', '-w', ...settings].join(' ');
}
