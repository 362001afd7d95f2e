/** From the command line to what was asked for; no logic of its own. */
import { parseArgs } from 'node:util';
import { exitCodes } from './cli/exit-codes.ts';
import { usage, usageOf } from './cli/help.ts';
import type { Asked, Verb } from './cli/verbs.ts';
import { UsageError } from './cli/usage-error.ts';
import { verbs } from './cli/verbs.ts';
import type { Config } from './config/config.ts';
import { configFlags } from './config/keys.ts';
import { loadConfig } from './config/load.ts';
import { ConfigError } from './config/problems.ts';
import { brokenTimingRule } from './leadership/timing.ts';
import { nearest } from './lib/edit-distance.ts';
import { messageOf } from './lib/errors.ts';
import type { Redact } from './lib/redactor.ts';
import { newRedactor } from './lib/redactor.ts';
import { version } from './version.ts';

const options = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  file: { type: 'string', short: 'f', multiple: true },
  output: { type: 'string', short: 'o' },
  to: { type: 'string' },
  'to-cluster': { type: 'string' },
  cluster: { type: 'string' },
  yes: { type: 'boolean' },
  term: { type: 'string' },
  drain: { type: 'string' },
  in: { type: 'string' },
  all: { type: 'boolean' },
  keep: { type: 'boolean' },
  force: { type: 'boolean' },
  ...configFlags,
} as const;

const streams = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
};

/** Resolves to the process's exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let named = false;
  let redact: Redact = newRedactor([]);
  try {
    const { values, positionals } = parse(argv);
    if (values['version']) return print(`${version}\n`);
    if (values['help']) return print(positionals.length > 0 ? usageOf(verbNamed(positionals)) : usage());
    const verb = verbNamed(positionals);
    const asked = askedOf(verb, values, (config) => (redact = newRedactor(config.secrets)));
    named = true;
    return await verb.act(asked, streams);
  } catch (error) {
    streams.err(`highlander: ${redact(messageOf(error))}\n`);
    return !named || error instanceof UsageError || error instanceof ConfigError
      ? exitCodes.wrongInput
      : exitCodes.failed;
  }
}

type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

function parse(argv: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  return { values: values as Values, positionals };
}

function verbNamed(words: readonly string[]): Verb {
  const name = words.join(' ');
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb) return verb;
  const meant = nearest(name, Object.keys(verbs));
  const hint = meant ? `; did you mean ${meant}?` : '';
  throw new UsageError(
    name === '' ? `missing verb: name one of these\n\n${usage()}` : `unknown verb "${name}"${hint}\n\n${usage()}`,
  );
}

/** Flags that are no settings. */
const OWN: ReadonlySet<string> = new Set([
  'help',
  'version',
  'file',
  'output',
  'to',
  'to-cluster',
  'cluster',
  'yes',
  'term',
  'drain',
  'in',
  'all',
  'keep',
  'force',
]);

function askedOf(verb: Verb, values: Values, loaded: (config: Config) => void): Asked {
  const { file, output = 'yaml' } = values;
  const flags = Object.fromEntries(Object.entries(values).filter(([name]) => !OWN.has(name)));
  const text = (name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  const paths = Array.isArray(file) ? (file as readonly string[]) : [];
  if (verb.needsFiles && paths.length === 0)
    throw new UsageError(`missing -f: name a file, a folder or -\n\n${usageOf(verb)}`);
  if (output !== 'yaml' && output !== 'json') throw new UsageError(`-o ${String(output)}: must be yaml or json`);
  return {
    paths,
    output,
    flags,
    text,
    has: (name) => values[name] === true,
    needed(name) {
      const value = text(name);
      if (value === undefined) throw new UsageError(`missing required flag --${name}\n\n${usageOf(verb)}`);
      return value;
    },
    config() {
      const config = loadConfig({ flags: flags as Record<string, string | boolean>, brokenTimingRule });
      loaded(config);
      return config;
    },
    stopping: untilSignalled,
  };
}

/** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
function untilSignalled(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      process.once(name, () => process.exit(exitCodes.failed));
      stopping.abort(new Error(`received ${name}`));
    });
  }
  return stopping.signal;
}

function print(text: string): number {
  streams.out(text);
  return exitCodes.done;
}
