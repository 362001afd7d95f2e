/** `highlander uninstall`: what is to be done once, when the controllers have gone for good. */
import type { Extent } from '../app/uninstall.ts';
import { Uninstallation } from '../app/uninstall.ts';
import type { Config } from '../config/config.ts';
import { messageOf } from '../lib/errors.ts';
import { newRedactor } from '../lib/redactor.ts';
import type { Removal } from '../reconcile/removal.ts';
import { exitCodes } from './exit-codes.ts';
import type { Asked, Verb } from './verbs.ts';

export const uninstallVerbs: Readonly<Record<string, Verb>> = {
  uninstall: {
    usage: 'uninstall [--yes] [--keep] [--in NAMESPACE] [--all] [--force] [-o json] [--config FILE] [flags]',
    does:
      'Removes the workloads of a tenant (--all: of every tenant) when its controllers have been stopped for good: their pods end gracefully, ' +
      'or run on with --keep, and no finalizer is left that nobody lets go. Without --yes it says what it would do. ' +
      'Refused while a controller lives, or the store cannot tell, unless --force is given.',
    act: async (asked, { out }) => {
      const config = asked.config();
      const extent: Extent = { namespace: asked.text('in'), allTenants: asked.has('all'), keep: asked.has('keep') };
      const uninstallation = new Uninstallation(config, extent);
      try {
        return await uninstall(uninstallation, asked, { config, out });
      } finally {
        await uninstallation.close();
      }
    },
  },
};

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
    say(steps.length === 0 ? 'Nothing is left to do' : 'Nothing was written: repeat it with --yes');
    report({ written: false, steps: steps.map(factsOf) });
    return steps.length === 0 ? exitCodes.done : exitCodes.failed;
  }
  const taken: Removal[] = [];
  const left = await uninstallation.carryOut((step) => {
    taken.push(step);
    say(lineOf(step));
  });
  for (const step of left) say(`left: ${lineOf(step)}`);
  say(left.length === 0 ? 'Nothing is left' : 'Not everything has ended: repeat it');
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
      `the store cannot tell whether a controller lives (${why}): when none does, repeat it with --force`,
    );
  });
  if (alive.length === 0) return;
  const names = alive.map(({ identity, cluster }) => `${identity} (${cluster.name})`).join(', ');
  throw new Error(`stop all controllers of the tenant first, these live: ${names}`);
}

function lineOf({ do: what, kind, object: { metadata }, because }: Removal): string {
  return `${what} ${kind} ${metadata.namespace ?? ''}/${metadata.name}: ${because}`;
}

function factsOf({ do: what, kind, object: { metadata }, because }: Removal): object {
  return { do: what, kind, namespace: metadata.namespace, name: metadata.name, because };
}
