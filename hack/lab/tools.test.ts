/** What the verbs of the Makefile start is what they install before they begin. */
import { resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { readGraph } from '../imports/graph.ts';
import { installFor, NEEDS } from './tools.ts';

const ENTRIES = {
  demo: 'hack/demo/main.ts',
  chaos: 'hack/chaos/main.ts',
  soak: 'hack/soak/main.ts',
  bench: 'bench/main.ts',
} as const;

/** Modules that start a program → its package. */
const STARTS: Readonly<Record<string, string>> = {
  'hack/lab/redis.ts': 'redis-server',
  'operator/lease/testing/redis-server.ts': 'redis-server',
  'operator/lease/testing/postgres-server.ts': 'postgresql',
  'operator/lease/testing/faketime.ts': 'libfaketime',
  'operator/lease/testing/api-server.ts': 'openssl',
};

const { edges } = readGraph(resolve(import.meta.dirname, '../..'));

function loadedBy(entry: string): ReadonlySet<string> {
  const seen = new Set([entry]);
  for (const file of seen) for (const { from, to, typeOnly } of edges) if (from === file && !typeOnly) seen.add(to);
  return seen;
}

it.each(Object.entries(ENTRIES))('make %s', (verb, entry) => {
  const loaded = loadedBy(entry);
  const needed = Object.entries(STARTS).flatMap(([module, name]) => (loaded.has(module) ? [name] : []));
  expect(loaded).toContain('hack/lab/tools.ts');
  expect(Object.values(NEEDS[verb as keyof typeof ENTRIES])).toEqual(expect.arrayContaining(needed));
});

afterEach(() => vi.unstubAllEnvs());

it('what cannot be installed is named before anything begins', async () => {
  vi.stubEnv('PATH', '/nowhere');
  await expect(installFor('chaos')).rejects.toThrow('`make chaos` needs kubectl: https://');
});
