/** A configuration file held against all rules that need neither a cluster nor a store. */
import { existsSync, readFileSync } from 'node:fs';
import type { DeclaredWorkload } from '../api/declared.ts';
import { parseConfigFile } from './file.ts';
import { knownPaths } from './keys.ts';
import type { Problem } from './problems.ts';
import { ConfigError } from './problems.ts';
import type { Machine, Rules } from './resolve.ts';
import { resolveConfig } from './resolve.ts';

const TOP_LEVEL = new Set([
  ...knownPaths.map((path) => path.split('.')[0]),
  'deployment',
  'processes',
  'cronJobs',
  'services',
  'persistentSets',
]);

/** Files that it names may be on another machine: what is here is judged. */
const SOMEWHERE: Machine = {
  hostname: 'host',
  environment: {},
  inCluster: true,
  homeKubeconfig: undefined,
  stateFolder: '/var/lib',
  expand: (path) => path,
  read: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
};

/** Whether a document is a configuration file: it has one of its top-level keys. */
export function isConfig(content: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(content).some((key) => TOP_LEVEL.has(key));
}

/** What a configuration file holds, and all that is wrong with it. */
export interface CheckedConfig {
  readonly workloads: readonly DeclaredWorkload[];
  readonly notices: readonly string[];
  /** How many the file holds. */
  readonly settings: number;
  readonly problems: readonly Problem[];
}

/** Checks the text of a configuration file; `name` stands in the problems. Throws only what is no `ConfigError`. */
export function checkConfig(name: string, text: string, rules: Rules): CheckedConfig {
  const file = parseConfigFile(name, text);
  try {
    const { workloads, notices, settings } = resolveConfig(file, SOMEWHERE, rules);
    return {
      workloads,
      notices,
      settings: settings.filter(({ origin }) => origin.startsWith(name)).length,
      problems: [],
    };
  } catch (error) {
    if (error instanceof ConfigError) return { workloads: [], notices: [], settings: 0, problems: error.problems };
    throw error;
  }
}
