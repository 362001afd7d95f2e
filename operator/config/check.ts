/** A configuration file held against all rules that need neither this machine nor a store. */
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

/** Files that it names are on another machine. */
const SOMEWHERE: Machine = {
  hostname: 'host',
  inCluster: true,
  homeKubeconfig: undefined,
  stateFolder: '/var/lib',
  expand: (path) => path,
  read: () => '',
};

export function isConfig(content: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(content).some((key) => TOP_LEVEL.has(key));
}

export function checkConfig(
  name: string,
  text: string,
  rules: Rules,
): { readonly workloads: readonly DeclaredWorkload[]; readonly problems: readonly Problem[] } {
  const file = parseConfigFile(name, text);
  try {
    return { workloads: resolveConfig(file, SOMEWHERE, rules).workloads, problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { workloads: [], problems: error.problems };
    throw error;
  }
}
