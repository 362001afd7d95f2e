/** From the command line to what was asked for; no logic of its own. */
import { parseArgs } from 'node:util';
import { run } from './app.ts';
import { initStorage } from './app/store.ts';
import type { Config } from './config/config.ts';
import { configFlags, configKeys } from './config/keys.ts';
import { loadConfig } from './config/load.ts';
import { brokenTimingRule } from './leadership/timing.ts';
import { messageOf } from './lib/errors.ts';
import { version } from './version.ts';

/** Exit codes: ended as asked; failed; wrong usage or configuration. */
const OK = 0;
const FAILED = 1;
const WRONG_INPUT = 2;

const settings = configKeys.filter((key) => key.flag !== undefined);

const options = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' }, ...configFlags } as const;

function usage(): string {
  const width = Math.max(...settings.map((key) => key.flag?.length ?? 0));
  const flags = settings.map((key) => `  --${(key.flag ?? '').padEnd(width)}  ${key.doc}`);
  return `highlander: exactly one instance of a process, across controllers and clusters

Usage:
  highlander run [--config FILE] [flags]
  highlander storage init [--config FILE] [flags]   makes the tables of the store, where it needs some
  highlander --help | --version

Flags override environment variables (HIGHLANDER_*), which override the config file:
${flags.join('\n')}
`;
}

const verbs: Readonly<Record<string, (config: Config) => Promise<unknown>>> = {
  run: (config) => run(config, untilSignalled()),
  'storage init': async (config) => print(`${await initStorage(config)}\n`),
};

/** Resolves to the process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let config: Config;
  let verb = '';
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    if (values['help'] || values['version']) return print(values['version'] ? `${version}\n` : usage());
    verb = positionals.join(' ');
    if (!Object.hasOwn(verbs, verb))
      return refuse(`say what to do: highlander ${Object.keys(verbs).join(' | ')}\n\n${usage()}`);
    config = loadConfig({ flags: values as Record<string, string | boolean>, brokenTimingRule });
  } catch (error) {
    return refuse(messageOf(error));
  }
  try {
    await verbs[verb]?.(config);
    return OK;
  } catch (error) {
    process.stderr.write(`highlander: ${messageOf(error)}\n`);
    return FAILED;
  }
}

/** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
function untilSignalled(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      process.once(name, () => process.exit(FAILED));
      stopping.abort(new Error(`received ${name}`));
    });
  }
  return stopping.signal;
}

function print(text: string): number {
  process.stdout.write(text);
  return OK;
}

function refuse(why: string): number {
  process.stderr.write(`highlander: ${why}\n`);
  return WRONG_INPUT;
}
