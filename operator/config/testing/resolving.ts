/** From what a test gives to a configuration, or to its problems as people see them. */
import { brokenTimingRule } from '../../leadership/timing.ts';
import type { Config } from '../config.ts';
import { fromEnvironment, fromFlags } from '../environment.ts';
import type { Environment, Flags } from '../environment.ts';
import { parseConfigFile } from '../file.ts';
import { ConfigError } from '../problems.ts';
import type { Machine } from '../resolve.ts';
import { resolveConfig } from '../resolve.ts';

const FILES = ['/home/me/password', '/pem/ca', '/pem/key'];

const machine: Machine = {
  hostname: 'host-1',
  environment: {},
  inCluster: false,
  homeKubeconfig: undefined,
  stateFolder: '/home/me/.local/state',
  expand: (path) => path.replace(/^~/, '/home/me'),
  read(path) {
    if (!FILES.includes(path)) throw new Error(`ENOENT: no such file, open '${path}'`);
    return 'text';
  },
};

export interface Given {
  readonly yaml?: string;
  readonly env?: Environment;
  readonly flags?: Flags;
  readonly on?: Partial<Machine>;
}

export function resolve({ yaml = '', env = {}, flags = {}, on = {} }: Given): Config {
  const file = parseConfigFile('config.yaml', yaml);
  const environment = fromEnvironment(env);
  const layers = {
    leaves: [...file.leaves, ...environment.leaves, ...fromFlags(flags)],
    problems: file.problems,
    notices: [...file.notices, ...environment.notices],
    locate: file.locate,
  };
  return resolveConfig(layers, { ...machine, ...on }, { brokenTimingRule });
}

export function problemsOf(given: Given): readonly string[] {
  try {
    resolve(given);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
}
