/** What the operator class needs of client-node, which only this folder imports. */
import { readFile } from 'node:fs/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { messageOf } from '../lib/errors.ts';
import type { KubeObject } from './cluster-client.ts';

/**
 * Until the returned function is called, `KubeConfig.loadFromDefault` reads nothing and names a server that is not
 * there. The base class of operators loads the default kubeconfig in its constructor, which fails where there is none or
 * a broken one, and reads credentials that are not ours to use. Only for the length of one synchronous call.
 */
export function suspendDefaultKubeConfig(): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- put back, never called
  const original = KubeConfig.prototype.loadFromDefault;
  KubeConfig.prototype.loadFromDefault = function (this: KubeConfig): void {
    this.loadFromClusterAndUser(
      { name: 'none', server: 'https://kubeconfig.invalid', skipTLSVerify: false },
      { name: 'none' },
    );
  };
  return () => void (KubeConfig.prototype.loadFromDefault = original);
}

/** The typed client of the core group, over the connections of `config`. */
export function coreApiOf(config: KubeConfig): CoreV1Api {
  return config.makeApiClient(CoreV1Api);
}

/**
 * Reads a manifest as it is. Not with client-node's `loadYaml`, which renames what it has a type for: of a CRD `enum`
 * becomes `_enum`, and `x-kubernetes-…` is lost. Throws an error that names the file.
 */
export async function readManifest<T extends KubeObject>(file: string): Promise<T> {
  try {
    return parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    throw new Error(`Manifest ${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
