/**
 * What real nodes need from Debian. The container runtime is unpacked into the cache, so that the machine gets no new service; only
 * small tools whose libraries must fit the system are installed.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { cacheFolder, shortHash } from './paths.ts';
import { say, startProgress } from './progress.ts';
import { run, which } from './shell.ts';

/** Program on PATH → package that has it. The CNI bridge masquerades with iptables, kube-proxy uses nft and conntrack. */
const TOOLS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  iptables: 'iptables',
  nft: 'nftables',
  conntrack: 'conntrack',
};

const UNPACKED = ['containerd', 'runc', 'containernetworking-plugins', 'busybox-static', 'docker-registry'];

/** Paths inside the folder that `containerRuntime` returns. */
export const RUNTIME = {
  binaries: 'usr/bin',
  runc: 'usr/sbin/runc',
  cni: 'usr/lib/cni',
  busybox: 'bin/busybox',
  registry: 'usr/bin/docker-registry',
} as const;

/** Folder with containerd, runc, the CNI plugins, busybox and the image registry. */
export async function containerRuntime(): Promise<string> {
  return unpackedRuntime() ?? withLock('packages', async () => unpackedRuntime() ?? unpack());
}

export async function installTools(): Promise<void> {
  await install(TOOLS);
}

/** Installs the packages of those programs that the machine lacks; `find` finds one, by default on PATH. */
export async function install(
  tools: Readonly<Record<string, string>>,
  find: (program: string) => string | undefined = which,
): Promise<void> {
  const missing = (): string[] => [
    ...new Set(
      Object.entries(tools)
        .filter(([program]) => !find(program))
        .map(([, name]) => name),
    ),
  ];
  if (missing().length === 0) return;
  await withLock('packages', async () => {
    const names = missing();
    if (names.length === 0) return;
    say(`installing ${names.join(' ')}`);
    await apt(['install', '-y', '-q', '--no-install-recommends', ...names]);
  });
}

function runtimePrefix(): string {
  return `runtime-${shortHash(...UNPACKED)}-`;
}

function unpackedRuntime(): string | undefined {
  if (!existsSync(cacheFolder())) return undefined;
  const name = readdirSync(cacheFolder()).find((each) => each.startsWith(runtimePrefix()));
  return name === undefined ? undefined : join(cacheFolder(), name);
}

async function unpack(): Promise<string> {
  const progress = startProgress();
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), 'new-runtime-'));
  try {
    progress.update(`downloading ${UNPACKED.join(' ')}`);
    await apt(['download', '-q', ...UNPACKED], temporary);
    const archives = readdirSync(temporary).filter((file) => file.endsWith('.deb'));
    for (const file of archives) {
      await run(['dpkg-deb', '-x', join(temporary, file), temporary]);
      rmSync(join(temporary, file));
    }
    const versions = archives
      .filter((file) => /^(containerd|runc)_/.test(file))
      .map((file) => file.split('_').slice(0, 2).join('').replace(/%3a/gi, '.'));
    const folder = join(cacheFolder(), runtimePrefix() + versions.join('-'));
    renameSync(temporary, folder);
    progress.done(`unpacked ${versions.join(', ')} and others`);
    return folder;
  } finally {
    progress.done();
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A fresh machine has no package lists yet: they are fetched when the first try finds nothing. */
async function apt(args: readonly string[], cwd?: string): Promise<void> {
  // As root: apt's own user may not write to the cache folder.
  const command = ['apt-get', '-o', 'APT::Sandbox::User=root', '-o', 'DPkg::Lock::Timeout=120', ...args];
  const options = { ...(cwd === undefined ? {} : { cwd }), env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  try {
    await run(command, options);
  } catch {
    await run(['apt-get', '-o', 'DPkg::Lock::Timeout=120', 'update', '-q'], options);
    await run(command, options);
  }
}
