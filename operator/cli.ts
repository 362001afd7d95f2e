/** From the command line to what was asked for; no logic of its own. */
import { parseArgs } from 'node:util';
import type { Asked, Verb } from './cli/verbs.ts';
import { UsageError } from './cli/usage-error.ts';
import { verbs } from './cli/verbs.ts';
import type { Config } from './config/config.ts';
import { configFlags, configKeys } from './config/keys.ts';
import { loadConfig } from './config/load.ts';
import { ConfigError } from './config/problems.ts';
import { brokenTimingRule } from './leadership/timing.ts';
import { nearest } from './lib/edit-distance.ts';
import { messageOf } from './lib/errors.ts';
import type { Redact } from './lib/redactor.ts';
import { newRedactor } from './lib/redactor.ts';
import { version } from './version.ts';

/** Exit codes beside those of the verbs: failed; wrong usage or configuration. */
const FAILED = 1;
const WRONG_INPUT = 2;

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
    return !named || error instanceof UsageError || error instanceof ConfigError ? WRONG_INPUT : FAILED;
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
    name === '' ? `say what to do\n\n${usage()}` : `"${name}" is nothing that can be done${hint}\n\n${usage()}`,
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
  if (verb.needsFiles && paths.length === 0) throw new UsageError(`say what by -f\n\n${usageOf(verb)}`);
  if (output !== 'yaml' && output !== 'json') throw new UsageError(`-o ${String(output)}: must be yaml or json`);
  return {
    paths,
    output,
    flags,
    text,
    has: (name) => values[name] === true,
    needed(name) {
      const value = text(name);
      if (value === undefined) throw new UsageError(`say --${name}\n\n${usageOf(verb)}`);
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

function usage(): string {
  const lines = Object.values(verbs).map(({ usage: how, does }) => `  highlander ${how}\n      ${does}\n`);
  return `highlander: exactly one instance of a process, across controllers and clusters

Usage:
${lines.join('')}  highlander [VERB] --help | --version

${settingsText()}`;
}

function usageOf({ usage: how, does }: Verb): string {
  return `Usage: highlander ${how}\n\n${does}\n${how.includes('[flags]') ? `\n${settingsText()}` : ''}`;
}

function settingsText(): string {
  const settings = configKeys.filter((key) => key.flag !== undefined);
  const width = Math.max(...settings.map((key) => key.flag?.length ?? 0));
  const flags = settings.map((key) => `  --${(key.flag ?? '').padEnd(width)}  ${key.doc}`);
  return `Flags override environment variables (HIGHLANDER_*), which override the config file:\n${flags.join('\n')}\n`;
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
  streams.out(text);
  return 0;
}
