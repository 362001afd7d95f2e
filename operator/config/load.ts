/**
 * The one place that reads the process environment. Order: flags, environment, file, defaults; every value keeps its
 * origin. Throws `ConfigError` with all problems at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../lib/errors.ts';
import type { Config } from './config.ts';
import type { Environment, Flags } from './environment.ts';
import { fromEnvironment, fromFlags } from './environment.ts';
import type { ReadFile } from './file.ts';
import { noFile, parseConfigFile } from './file.ts';
import type { Machine, Rules } from './resolve.ts';
import { resolveConfig } from './resolve.ts';

/** What the configuration is loaded from. */
export interface LoadOptions extends Rules {
  /** As `parseArgs` returns them, `config` included. */
  readonly flags?: Flags;
  /** Default: the process's own. */
  readonly environment?: Environment;
  /** Where `./config.yaml` is looked for; default: the working directory. */
  readonly directory?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Loads the configuration. Throws `ConfigError` that lists all problems. */
export function loadConfig(options: LoadOptions): Config {
  const environment = options.environment ?? process.env;
  const flags = options.flags ?? {};
  const home = environment['HOME'] || homedir();
  const file = readConfigFile(flags['config'], home, options.directory ?? process.cwd());
  const fromEnv = fromEnvironment(environment);
  const layers = {
    leaves: [...file.leaves, ...fromEnv.leaves, ...fromFlags(flags)],
    problems: file.problems,
    notices: [...file.notices, ...fromEnv.notices],
    locate: file.locate,
  };
  return resolveConfig(layers, machineOf(environment, home), options);
}

function machineOf(environment: Environment, home: string): Machine {
  const kubeconfig = join(home, '.kube', 'config');
  return {
    hostname: hostname(),
    environment,
    stateFolder: environment['XDG_STATE_HOME'] || join(home, '.local', 'state'),
    inCluster: Boolean(environment['KUBERNETES_SERVICE_HOST']) && existsSync(SERVICE_ACCOUNT),
    homeKubeconfig: existsSync(kubeconfig) ? kubeconfig : undefined,
    expand: (path) => expand(path, home),
    read: (path) => readFileSync(path, 'utf8'),
  };
}

/** A file that was asked for must exist; of the usual places the first that has one counts. */
function readConfigFile(asked: Flags[string], home: string, directory: string): ReadFile {
  const usual = [
    '/etc/k8-highlander/config.yaml',
    join(home, '.k8-highlander', 'config.yaml'),
    join(directory, 'config.yaml'),
  ];
  const path =
    typeof asked === 'string' && asked !== '' ? expand(asked, home) : usual.find((candidate) => existsSync(candidate));
  if (path === undefined) return noFile();
  try {
    return parseConfigFile(path, readFileSync(path, 'utf8'));
  } catch (error) {
    const problem = { path, fix: `cannot be read as the configuration file: ${messageOf(error)}` };
    return noFile(problem);
  }
}

function expand(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;
}
