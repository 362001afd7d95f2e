/** Reading a kubeconfig file: which context to take, and errors that say what is wrong where. */
import { readFileSync } from 'node:fs';
import type { KubeConfig, User } from '@kubernetes/client-node';
import { parseYaml } from '../lib/yaml.ts';
import type { Variables } from './proxy.ts';
import { messageOf } from '../lib/errors.ts';

/** Which kubeconfig, and which part of it. */
export interface ConfigSelection {
  /** A kubeconfig file, or a list of them as in $KUBECONFIG; absent: the service account of the pod. */
  readonly path?: string;
  /** Name of a context; absent: the file's current one. */
  readonly context?: string;
  /** Name of a cluster: the context that names it is taken, so that its own user goes with it. */
  readonly cluster?: string;
  /** Of the process: for proxies and credential plug-ins. */
  readonly variables?: Variables;
}

/** One of a list: `{name, cluster | context | user}`. */
export interface RawEntry {
  readonly name?: string;
  readonly cluster?: Readonly<Record<string, unknown>> | null;
  readonly context?: Readonly<Record<string, unknown>> | null;
  readonly user?: Readonly<Record<string, unknown>> | null;
}

/** A kubeconfig file as it is written. */
export interface RawConfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly RawEntry[] | null;
  readonly contexts?: readonly RawEntry[] | null;
  readonly users?: readonly RawEntry[] | null;
}

/** A kubeconfig file, or a part of one: others of a list may have the rest. Throws an error that names the file and the key at fault. */
export function readConfigFile(file: string): RawConfig {
  const fail = (what: string, cause?: unknown): never => {
    throw new Error(`kubeconfig ${file}: ${what}`, { cause });
  };
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail(`cannot be read: ${messageOf(error)}`, error);
  }
  const [document] = parseYaml(text);
  const [flaw] = document?.errors ?? [];
  if (flaw) return fail(`is not valid YAML at ${flaw.at}`);
  const raw = document?.value ?? {};
  if (typeof raw !== 'object') return fail('is not a kubeconfig');
  for (const key of ['clusters', 'contexts', 'users'] as const)
    if (!Array.isArray((raw as RawConfig)[key] ?? [])) fail(`"${key}" is not a list`);
  return raw;
}

/** kubectl's `tokenFile`, which client-node ignores, becomes its token file provider, which reads it again and again. */
export function loadTokenFiles(users: readonly User[], { users: raw }: RawConfig): User[] {
  return users.map((user) => {
    const entry = raw?.find((candidate) => candidate.name === user.name)?.user;
    const tokenFile = entry?.['tokenFile'] ?? entry?.['token-file'];
    if (typeof tokenFile !== 'string') return user;
    const { token: _, ...rest } = user;
    return { ...rest, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

/** Whom a user acts as, besides the name: client-node sends only that. */
export function impersonation(user: Readonly<Record<string, unknown>>): Readonly<Record<string, string | string[]>> {
  const { 'as-groups': groups, 'as-uid': uid, 'as-user-extra': extra } = user;
  const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  const extras = typeof extra === 'object' && extra !== null ? Object.entries(extra) : [];
  return {
    ...(texts(groups).length > 0 ? { 'Impersonate-Group': texts(groups) } : {}),
    ...(typeof uid === 'string' ? { 'Impersonate-Uid': uid } : {}),
    ...Object.fromEntries(
      extras.map(([name, value]) => [`Impersonate-Extra-${encodeURIComponent(name)}`, texts(value)]),
    ),
  };
}

/** Makes the selected context the current one, and checks that its cluster and user exist. */
export function applySelection(config: KubeConfig, selection: ConfigSelection): void {
  const where = selection.path ? `kubeconfig ${selection.path}` : 'kubeconfig';
  const name =
    selection.context ?? (selection.cluster ? contextOf(config, selection.cluster, where) : config.getCurrentContext());
  if (!name) throw new Error(`${where}: "current-context" is missing; select a context`);
  const context = config.getContexts().find((candidate) => candidate.name === name);
  if (!context) throw new Error(`${where}: context "${name}" does not exist; contexts: ${names(config.getContexts())}`);
  if (selection.cluster && context.cluster !== selection.cluster) {
    throw new Error(`${where}: context "${name}" is for cluster "${context.cluster}", not "${selection.cluster}"`);
  }
  if (!config.getClusters().some((cluster) => cluster.name === context.cluster)) {
    throw new Error(`${where}: context "${name}" names cluster "${context.cluster}", which is missing from "clusters"`);
  }
  if (context.user && !config.getUsers().some((user) => user.name === context.user)) {
    throw new Error(`${where}: context "${name}" names user "${context.user}", which is missing from "users"`);
  }
  config.setCurrentContext(name);
}

/** Credentials belong to a context: a cluster's are those of the context that names it, never the current user's. */
function contextOf(config: KubeConfig, cluster: string, where: string): string {
  const fitting = config.getContexts().filter((context) => context.cluster === cluster);
  const current = fitting.find((context) => context.name === config.getCurrentContext());
  const chosen = current ?? (new Set(fitting.map((context) => context.user)).size === 1 ? fitting[0] : undefined);
  if (chosen) return chosen.name;
  if (fitting.length === 0)
    throw new Error(
      `${where}: cluster "${cluster}" is not used by any context; clusters: ${names(config.getClusters())}`,
    );
  throw new Error(`${where}: cluster "${cluster}" has several users; select one of these contexts: ${names(fitting)}`);
}

const names = (list: readonly { readonly name: string }[]): string =>
  list.map((entry) => entry.name).join(', ') || 'none';
