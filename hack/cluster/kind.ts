/** Clusters by kind, where there is Docker: for those who trust it more than our own. */

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT, runFolder, shortHash } from './paths.ts';
import { say } from './progress.ts';
import { attempt, run, which } from './shell.ts';

const kindName = (name: string): string => `highlander-${shortHash(CHECKOUT).slice(0, 6)}-${name}`;
const kubeconfig = (name: string): string => join(runFolder(), 'kind', `${name}.kubeconfig`);

export async function kindUp(names: readonly string[]): Promise<void> {
  if (!which('kind'))
    throw new Error('kind is not installed: install it, or leave out CLUSTER=kind to get a cluster without Docker');
  if ((await attempt(['docker', 'info', '--format', '{{.ServerVersion}}'])) === undefined) {
    throw new Error(
      'kind needs a running Docker engine, and `docker info` fails: start Docker, or leave out CLUSTER=kind to get a cluster without it',
    );
  }
  const running = (await run(['kind', 'get', 'clusters'])).split('\n');
  mkdirSync(join(runFolder(), 'kind'), { recursive: true });
  for (const name of names) {
    if (running.includes(kindName(name))) say(`${name}: already up`);
    else
      await run([
        'kind',
        'create',
        'cluster',
        '--name',
        kindName(name),
        '--kubeconfig',
        kubeconfig(name),
        '--wait',
        '120s',
      ]);
  }
  for (const name of names) process.stdout.write(`export KUBECONFIG=${kubeconfig(name)}\n`);
}

/** Ends those of this checkout. */
export async function kindDown(): Promise<void> {
  if (!existsSync(join(runFolder(), 'kind'))) return;
  const prefix = kindName('');
  const running = (await run(['kind', 'get', 'clusters'])).split('\n').filter((name) => name.startsWith(prefix));
  for (const name of running) await run(['kind', 'delete', 'cluster', '--name', name]);
  rmSync(join(runFolder(), 'kind'), { recursive: true, force: true });
}
