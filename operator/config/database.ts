/** The database with its rules: a URL where one is needed, nothing said twice, certificates whole, files readable. */
import { parsePostgresUrl, type PostgresAddress } from '../lib/postgres-url.ts';
import type { DatabaseSettings } from './config.ts';
import {
  halfCertificate,
  problemAt,
  unreadable,
  withPaths,
  type Files,
  type Finding,
  type Look,
} from './connection.ts';
import type { Problem } from './problems.ts';
import type { Settings } from './schema.ts';
import type { Merged } from './tree.ts';
import { getAt } from './tree.ts';

/** Problems that the schema cannot see, whether or not the rest of the section is in order. */
export function databaseProblems(merged: Merged, files: Files): readonly Problem[] {
  const given = (name: string) => getAt(merged.tree, ['db', ...name.split('.')]);
  const url = getAt(merged.tree, ['databaseURL']);
  const address = typeof url === 'string' ? parsePostgresUrl(url.trim()) : undefined;
  const found = [
    ...(typeof address === 'object' ? contradictions(address, given) : []),
    ...halfCertificate('db', given),
    ...unreadable(given, files),
  ];
  return [
    ...(url === undefined ? missing(merged) : []),
    ...found.map(([name, fix]) => problemAt(`db.${name}`, fix, merged)),
  ];
}

function missing({ tree, origins }: Merged): readonly Problem[] {
  if (getAt(tree, ['storageType']) !== 'db') return [];
  const where = origins.get('storageType')?.where;
  const fix = `is not set, but storageType is db (${where}): set it or HIGHLANDER_DATABASE_URL to a URL such as postgres://user:password@host:5432/database`;
  return [{ path: 'databaseURL', fix }];
}

/** What is said in two places may be contradictory; it is not for us to choose. */
function* contradictions({ password, sslMode }: PostgresAddress, given: Look): Generator<Finding> {
  if (password !== undefined && given('passwordFile') !== undefined) {
    yield ['passwordFile', 'is set although databaseURL holds a password; keep one of the two'];
  }
  if (sslMode === 'disable' && given('tls') !== undefined) {
    yield ['tls', 'is set although databaseURL has sslmode=disable; keep one of the two'];
  }
}

/** Absent without a URL. */
export function databaseSettings(
  url: string | undefined,
  { pool, ...rest }: Settings['db'],
  files: Files,
): DatabaseSettings | undefined {
  return url === undefined ? undefined : { url, maxConnections: pool.max, ...withPaths(rest, files) };
}
