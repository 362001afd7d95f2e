/** What can be asked for on the command line. */
import { run } from '../app.ts';
import type { Config } from '../config/config.ts';
import { exitCodes } from './exit-codes.ts';
import { printAdmission } from './admission.ts';
import { printConfig } from './config-print.ts';
import { diff } from './diff.ts';
import { render } from './render.ts';
import { storageVerbs } from './storage.ts';
import type { Streams } from './streams.ts';
import { tenantVerbs } from './tenant.ts';
import { uninstallVerbs } from './uninstall.ts';
import { validate } from './validate.ts';

/** What somebody asked for, beside the verb. */
export interface Asked {
  /** Of `-f`. */
  readonly paths: readonly string[];
  readonly output: 'yaml' | 'json';
  /** Flags that are settings. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Of a flag of this verb that is no setting. */
  readonly text: (flag: string) => string | undefined;
  /** The same; throws when it was not given. */
  readonly needed: (flag: string) => string;
  /** Whether such a flag was given, where it takes no value. */
  readonly has: (flag: string) => boolean;
  /** Throws `ConfigError`. */
  readonly config: () => Config;
  /** Aborted when the process is asked to end. */
  readonly stopping: () => AbortSignal;
}

/** Something that can be asked for. `usage` and `does` are shown by `--help` and in docs/reference. */
export interface Verb {
  readonly usage: string;
  readonly does: string;
  /** Files or folders must be given by `-f`. */
  readonly needsFiles?: true;
  /** Resolves to the exit code. */
  act(asked: Asked, streams: Streams): Promise<number> | number;
}

/** All verbs, by their names, which may have two words. */
export const verbs: Readonly<Record<string, Verb>> = {
  run: {
    usage: 'run [--config FILE] [flags]',
    does: 'Runs a controller.',
    act: async ({ config, stopping }) => {
      await run(config(), stopping());
      return exitCodes.done;
    },
  },
  validate: {
    usage: 'validate -f FILE|DIR|- …',
    does: 'Checks workloads and configuration files without a cluster; exit code 1 when something is wrong.',
    needsFiles: true,
    act: ({ paths }, streams) => validate(paths, streams),
  },
  render: {
    usage: 'render -f FILE|DIR|- … [-o yaml|json] [--cluster-name NAME] [--namespace NAME]',
    does: 'Prints the objects that would be applied for workloads.',
    needsFiles: true,
    act: ({ paths, output, flags }, streams) => {
      const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : 'default');
      return render({ paths, output, clusterName: text('cluster-name'), namespace: text('namespace') }, streams);
    },
  },
  diff: {
    usage: 'diff -f FILE|DIR|- … [--config FILE] [flags]',
    does: 'Shows what applying workloads would change in the cluster; exit code 1 when there are changes.',
    needsFiles: true,
    act: ({ paths, config }, streams) => diff(paths, config(), streams),
  },
  ...tenantVerbs,
  admission: {
    usage: 'admission [-o yaml|json] [--config FILE] [flags]',
    does: 'Prints the ValidatingAdmissionPolicies that stop a cluster without a permit from starting workloads.',
    act: ({ config, output }, { out }) => {
      out(printAdmission(config(), output));
      return exitCodes.done;
    },
  },
  'config print': {
    usage: 'config print [-o yaml|json] [--config FILE] [flags]',
    does: 'Prints every setting and where it came from; secrets are masked.',
    act: ({ config, output }, { out }) => {
      out(printConfig(config(), output));
      return exitCodes.done;
    },
  },
  ...storageVerbs,
  ...uninstallVerbs,
};
