/** Several kubeconfig files as one, by the rules of kubectl; paths in them become absolute. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { readConfigFile, type RawConfig, type RawEntry } from './kube-config-file.ts';

const LISTS = ['clusters', 'contexts', 'users'] as const;
const SINGULAR = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;
const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'token-file'];

/**
 * `path`: one file, or a list as in `$KUBECONFIG`. Of two entries with one name the first counts. Files of a list that are
 * not there are left out, unless none is. Throws an error that names the file and the key at fault.
 */
export function readConfigFiles(path: string): RawConfig {
  const listed = existsSync(path) ? [path] : path.split(delimiter).filter((file) => file !== '');
  const present = listed.filter((file) => existsSync(file));
  const read = (present.length > 0 ? present : listed.slice(0, 1)).map((file) => [file, readConfigFile(file)] as const);
  for (const list of ['clusters', 'contexts'] as const)
    if (read.every(([, config]) => !config[list])) throw new Error(`kubeconfig ${path}: "${list}" is missing`);
  const files = read.map(([file, config]) => absolute(config, file));
  const current = files.map((file) => file['current-context']).find(Boolean);
  const merged = LISTS.map((list) => [list, uniqueEntries(files.flatMap((file) => file[list] ?? []))] as const);
  return { ...Object.fromEntries(merged), ...(current === undefined ? {} : { 'current-context': current }) };
}

function uniqueEntries(entries: readonly RawEntry[]): readonly RawEntry[] {
  const byName = new Map<unknown, RawEntry>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

const TLS = ['certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify'];

/** Without a scheme, a server that has to do with TLS has https. */
function address(cluster: Readonly<Record<string, unknown>>): { readonly server?: string } {
  const { server } = cluster;
  if (typeof server !== 'string' || server === '' || server.includes('://')) return {};
  return { server: `${TLS.some((field) => cluster[field]) ? 'https' : 'http'}://${server}` };
}

/** Relative to the folder of the file, as kubectl takes them; a command only when it is written with a slash. */
function absolute(config: RawConfig, file: string): RawConfig {
  const folder = dirname(resolve(file));
  const paths = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      PATHS.flatMap((name) => (typeof fields[name] === 'string' ? [[name, resolve(folder, fields[name])]] : [])),
    );
  const exec = (given: unknown) => {
    if (typeof given !== 'object' || given === null || !('command' in given)) return {};
    const { command } = given;
    const isPath = typeof command === 'string' && command.includes('/');
    return { exec: { ...given, command: isPath ? resolve(folder, command) : command } };
  };
  const entries = (list: (typeof LISTS)[number]) =>
    (config[list] ?? []).map((entry) => {
      const inner = entry[SINGULAR[list]];
      const complete = inner && { ...inner, ...paths(inner), ...exec(inner['exec']), ...address(inner) };
      return complete ? { ...entry, [SINGULAR[list]]: complete } : entry;
    });
  return { ...config, ...Object.fromEntries(LISTS.map((list) => [list, entries(list)])) };
}
