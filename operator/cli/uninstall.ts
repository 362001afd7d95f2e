/** `highlander uninstall`: what is to be done once, when the controllers have gone for good. */
import { livingPeers } from '../admin/living-peers.ts';
import type { Extent } from '../admin/uninstall.ts';
import { Uninstallation } from '../admin/uninstall.ts';
import { connectTo } from '../app/client.ts';
import { withStore } from '../app/store.ts';
import type { Config } from '../config/config.ts';
import type { Peer } from '../leadership/presence.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';
import { newRedactor } from '../lib/redactor.ts';
import type { Removal } from '../reconcile/removal.ts';
import { exitCodes } from './exit-codes.ts';
import type { Asked, Verb } from './verbs.ts';

/** `uninstall`. */
export const uninstallVerbs: Readonly<Record<string, Verb>> = {
  uninstall: {
    usage: 'uninstall [--yes] [--keep] [--in NAMESPACE] [--all] [--force] [-o json] [--config FILE] [flags]',
    does:
      'Removes the workloads of a tenant (--all: of every tenant) after its controllers have been stopped for good. Pods end gracefully, or keep ' +
      "running with --keep; the operator's finalizers are removed. Without --yes it only prints what it would do. " +
      'Refused while a controller is alive, or when the store does not answer, unless --force is given.',
    act: async (asked, { out }) => {
      const config = asked.config();
      const extent: Extent = { namespace: asked.text('in'), allTenants: asked.has('all'), keep: asked.has('keep') };
      const { client } = connectTo(config, 'uninstall');
      const living = (tenants: readonly string[]) => withStore(config, (store) => livingOf(store, config, tenants));
      try {
        return await uninstall(new Uninstallation({ client, living }, config, extent), asked, { config, out });
      } finally {
        await client.close();
      }
    },
  },
};

async function livingOf(store: CellStore, config: Config, tenants: readonly string[]): Promise<readonly Peer[]> {
  return (await Promise.all(tenants.map((tenant) => livingPeers(store, { ...config, tenant })))).flat();
}

interface Scene {
  readonly config: Config;
  readonly out: (text: string) => void;
}

async function uninstall(uninstallation: Uninstallation, asked: Asked, { config, out }: Scene): Promise<number> {
  const tenants = await uninstallation.tenants();
  if (!asked.has('force')) await assertNobodyLives(uninstallation, tenants, config);
  const isJson = asked.output === 'json';
  const report = (facts: object) => isJson && out(`${JSON.stringify({ tenants, ...facts }, undefined, 2)}\n`);
  const say = (line: string) => void (isJson || out(`${line}\n`));
  if (!asked.has('yes')) {
    const steps = await uninstallation.look();
    for (const step of steps) say(`would ${lineOf(step)}`);
    say(steps.length === 0 ? 'Nothing to do' : 'Nothing was written: repeat with --yes');
    report({ written: false, steps: steps.map(factsOf) });
    return steps.length === 0 ? exitCodes.done : exitCodes.failed;
  }
  const taken: Removal[] = [];
  const left = await uninstallation.carryOut((step) => {
    taken.push(step);
    say(lineOf(step));
  });
  for (const step of left) say(`left: ${lineOf(step)}`);
  say(left.length === 0 ? 'Nothing is left' : 'Some objects have not ended yet: repeat the command');
  report({ written: true, steps: taken.map(factsOf), left: left.map(factsOf) });
  return left.length === 0 ? exitCodes.done : exitCodes.failed;
}

async function assertNobodyLives(
  uninstallation: Uninstallation,
  tenants: readonly string[],
  { secrets }: Config,
): Promise<void> {
  const redact = newRedactor(secrets);
  const alive = await uninstallation.living(tenants).catch((error: unknown) => {
    const why = redact(messageOf(error));
    throw new Error(
      `the store cannot be asked whether a controller is alive (${why}): if none is, repeat with --force`,
    );
  });
  if (alive.length === 0) return;
  const names = alive.map(({ identity, cluster }) => `${identity} (${cluster.name})`).join(', ');
  throw new Error(`stop all controllers of the tenant first; still alive: ${names}`);
}

function lineOf({ do: what, kind, object: { metadata }, because }: Removal): string {
  return `${what} ${kind} ${metadata.namespace ?? ''}/${metadata.name}: ${because}`;
}

function factsOf({ do: what, kind, object: { metadata }, because }: Removal): object {
  return { do: what, kind, namespace: metadata.namespace, name: metadata.name, because };
}
