/** What the sections of all stores that are reached over a network have in common: secrets and certificates in files. */
import { messageOf } from '../lib/errors.ts';
import type { Problem } from './problems.ts';
import type { Merged } from './tree.ts';

/** Reaches the files that settings name. */
export interface Files {
  /** Replaces a leading `~`. */
  expand(path: string): string;
  /** Text of a file; throws when it cannot be read. Nothing where files of that machine cannot be judged. */
  read(path: string): string | undefined;
}

/** What is set under a name below the section, e.g. `tls.ca`. */
export type Look = (name: string) => unknown;
/** A setting by its name within the section, and what to do about it. */
export type Finding = readonly [name: string, fix: string];

interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

const FILE_SETTINGS = ['passwordFile', 'tls.ca', 'tls.cert', 'tls.key'];

/** A finding where only one of `tls.cert` and `tls.key` is given. */
export function* halfCertificate(section: string, given: Look): Generator<Finding> {
  for (const [part, other] of [['tls.cert', 'tls.key'] as const, ['tls.key', 'tls.cert'] as const]) {
    if (given(part) !== undefined && given(other) === undefined) {
      yield [part, `needs ${section}.${other} as well: a client certificate consists of both`];
    }
  }
}

/** The driver reads the files anew for each connection; at start they must at least be there. */
export function* unreadable(given: Look, files: Files): Generator<Finding> {
  for (const name of FILE_SETTINGS) {
    const value = given(name);
    if (typeof value !== 'string' || isPem(value)) continue;
    try {
      files.read(files.expand(value));
    } catch (error) {
      yield [name, `names a file that cannot be read: ${messageOf(error)}`];
    }
  }
}

/** The same with full paths. */
export function withPaths(
  { passwordFile, tls }: { readonly passwordFile?: string | undefined; readonly tls?: TlsFiles | undefined },
  files: Files,
): { readonly passwordFile?: string; readonly tls?: TlsFiles } {
  const path = (value: string | undefined) => (value === undefined || isPem(value) ? value : files.expand(value));
  return {
    ...(passwordFile === undefined ? {} : { passwordFile: files.expand(passwordFile) }),
    ...(tls === undefined ? {} : { tls: { ...tls, ca: path(tls.ca), cert: path(tls.cert), key: path(tls.key) } }),
  };
}

/** Whether the value is PEM text, not the path of a file. */
export function isPem(value: string): boolean {
  return value.includes('-----BEGIN');
}

/** A problem with the setting at `path`, and where its value came from. */
export function problemAt(path: string, fix: string, { origins }: Merged): Problem {
  const where = origins.get(path)?.where;
  return { path, fix, ...(where === undefined ? {} : { where }) };
}
