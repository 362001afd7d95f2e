/** Programs from Debian that tests and the demo need besides the clusters' own. */
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { install } from '../cluster/packages.ts';
import { which } from '../cluster/shell.ts';

const REDIS = { 'redis-server': 'redis-server' };
const POSTGRES = { postgres: 'postgresql' };
const FAKETIME = { 'libfaketimeMT.so.1': 'libfaketime' };
/** With which API servers get their certificates, and are asked whether they are ready. */
const CERTIFICATES = { openssl: 'openssl', curl: 'curl', ...FAKETIME };

/** Program → package. */
type Tools = Readonly<Record<string, string>>;

/** Verbs of the Makefile, and what each needs besides the clusters' own programs. */
export const NEEDS = {
  demo: REDIS,
  chaos: { ...REDIS, ...FAKETIME },
  soak: { ...REDIS, ...POSTGRES },
  bench: { ...REDIS, ...POSTGRES, ...CERTIFICATES },
  test: { ...REDIS, ...POSTGRES, ...CERTIFICATES, pgbouncer: 'pgbouncer' },
} as const satisfies Readonly<Record<string, Tools>>;

/** Where Debian puts what is not on PATH. */
const FOLDERS = ['/usr/lib/postgresql/*/bin', '/usr/lib/*/faketime'];

/** Programs that no package of Debian has, and where they are. */
const KUBECTL = { kubectl: 'https://kubernetes.io/docs/tasks/tools/' };
const PREREQUISITES: Readonly<Partial<Record<keyof typeof NEEDS, Readonly<Record<string, string>>>>> = {
  demo: KUBECTL,
  chaos: KUBECTL,
  test: KUBECTL,
};

/** Before the verb begins. Throws what is missing, where it cannot be installed. */
export async function installFor(verb: keyof typeof NEEDS): Promise<void> {
  for (const [program, where] of Object.entries(PREREQUISITES[verb] ?? {}))
    if (find(program) === undefined) throw new Error(`\`make ${verb}\` needs ${program}: ${where}`);
  const tools: Tools = NEEDS[verb];
  try {
    await installQuietly(tools);
  } catch (cause) {
    throw new Error(`\`make ${verb}\` needs ${missing(tools).join(', ')}: install it, it could not be done here`, {
      cause,
    });
  }
}

/** Names of packages. */
function missing(tools: Tools): readonly string[] {
  return Object.entries(tools).flatMap(([program, name]) => (find(program) === undefined ? [name] : []));
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
  if (missing(tools).length === 0) return;
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
