/** Programs from Debian that tests and the demo need besides the clusters' own. */
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { install } from '../cluster/packages.ts';
import { which } from '../cluster/shell.ts';

const STORES: Tools = {
  'redis-server': 'redis-server',
  postgres: 'postgresql',
  pgbouncer: 'pgbouncer',
  'libfaketimeMT.so.1': 'libfaketime',
};

/** Where Debian puts what is not on PATH. */
const FOLDERS = ['/usr/lib/postgresql/*/bin', '/usr/lib/*/faketime'];

/** Program → package. */
type Tools = Readonly<Record<string, string>>;

export async function installRedis(): Promise<void> {
  await installQuietly({ 'redis-server': 'redis-server' });
}

/** The servers that the tests of the stores start, each its own. */
export async function installStores(): Promise<void> {
  await installQuietly(STORES);
}

function find(program: string): string | undefined {
  return which(program) ?? FOLDERS.flatMap((folder) => globSync(`${folder}/${program}`))[0];
}

/** Ask a machine not to start what is installed, and PostgreSQL not to make a database of its own. */
const REFUSALS: Readonly<Record<string, string>> = {
  '/usr/sbin/policy-rc.d': '#!/bin/sh\nexit 101\n',
  '/etc/postgresql-common/createcluster.d/highlander.conf': 'create_main_cluster = false\n',
};

/** No service runs afterwards that did not before. */
async function installQuietly(tools: Tools): Promise<void> {
  if (Object.keys(tools).every((program) => find(program) !== undefined)) return;
  const mine = process.getuid?.() === 0 ? Object.keys(REFUSALS).filter((path) => !existsSync(path)) : [];
  try {
    for (const path of mine) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, REFUSALS[path] ?? '', { mode: 0o755 });
    }
    await install(tools, find);
  } finally {
    for (const path of mine) rmSync(path, { force: true });
  }
}
