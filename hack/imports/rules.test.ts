import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from './graph.ts';
import { ruleNames, violationsOf } from './rules.ts';

/** Rule, importing file, what it imports. A target that starts with a letter of a package is one. */
const PLANTED: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['api sees only what is below it', 'operator/api/planted.ts', 'operator/config/load.ts'],
  ['lib sees only what is below it', 'operator/lib/planted.ts', 'operator/telemetry/logger.ts'],
  ['cluster sees only what is below it', 'operator/cluster/planted.ts', 'operator/leadership/guard.ts'],
  ['lease sees only what is below it', 'operator/lease/planted.ts', 'operator/config/load.ts'],
  ['config sees only what is below it', 'operator/config/planted.ts', 'operator/leadership/guard.ts'],
  ['telemetry sees only what is below it', 'operator/telemetry/planted.ts', 'operator/controller/queue.ts'],
  ['leadership sees only what is below it', 'operator/leadership/planted.ts', 'operator/lease/store-error.ts'],
  ['ledger sees only what is below it', 'operator/ledger/planted.ts', 'operator/leadership/guard.ts'],
  ['reconcile sees only what is below it', 'operator/reconcile/apply.ts', 'operator/cluster/http-client.ts'],
  ['state sees only what is below it', 'operator/state/planted.ts', 'operator/controller/queue.ts'],
  ['workloads sees only what is below it', 'operator/workloads/a/reconciler.ts', 'operator/leadership/guard.ts'],
  ['controller sees only what is below it', 'operator/controller/planted.ts', 'operator/workloads/b/desired.ts'],
  ['http sees only what is below it', 'operator/http/planted.ts', 'operator/cluster/cluster-client.ts'],
  ['standby sees only what is below it', 'operator/standby/planted.ts', 'operator/telemetry/logger.ts'],
  ['vitals sees only what is below it', 'operator/vitals/planted.ts', 'operator/config/load.ts'],
  ['admin sees only what is below it', 'operator/admin/planted.ts', 'operator/workloads/b/reconciler.ts'],
  ['kinds are strangers', 'operator/workloads/a/desired.ts', 'operator/workloads/b/desired.ts'],
  ['the app is loaded by entries, and played by the simulator', 'operator/state/planted-app.ts', 'operator/app.ts'],
  ['entries are loaded by entries', 'operator/app/planted.ts', 'operator/cli.ts'],
  ['pure files see only pure files', 'operator/workloads/a/observe.ts', 'operator/reconcile/reconciler.ts'],
  ['pure files see only pure files', 'operator/reconcile/status.ts', 'operator/lib/clock.ts'],
  ['pure files do nothing', 'operator/reconcile/plan.ts', 'node:fs'],
  ['drivers are opened by open.ts', 'operator/lease/planted-driver.ts', 'operator/lease/redis.ts'],
  ['only the app composes', 'operator/cli.ts', 'operator/lease/open.ts'],
  ['only the app composes', 'operator/main.ts', 'operator/workloads/b/reconciler.ts'],
  ['test doubles stay in tests', 'operator/lib/planted-test.ts', 'operator/lib/testing/fake-clock.ts'],
  ['test doubles stay in tests', 'operator/lib/planted-test.ts', 'operator/lib/clock.test.ts'],
  ['the product sees no tools', 'operator/lib/planted-tool.ts', 'hack/tool.ts'],
  ['@dot-i/k8s-operator stays at home', 'operator/state/planted.ts', '@dot-i/k8s-operator'],
  ['@google-cloud/spanner stays at home', 'operator/lease/open.ts', '@google-cloud/spanner'],
  ['@kubernetes/client-node stays at home', 'operator/controller/planted.ts', '@kubernetes/client-node'],
  ['express stays at home', 'operator/state/planted.ts', 'express'],
  ['google-gax stays at home', 'operator/lease/open.ts', 'google-gax'],
  ['ioredis stays at home', 'operator/lease/open.ts', 'ioredis'],
  ['kysely stays at home', 'operator/lease/open.ts', 'kysely'],
  ['pg stays at home', 'operator/lease/open.ts', 'pg'],
  ['prom-client stays at home', 'operator/http/planted.ts', 'prom-client'],
  ['undici stays at home', 'operator/lease/planted.ts', 'undici'],
  ['winston stays at home', 'operator/lib/planted.ts', 'winston'],
  ['yaml stays at home', 'operator/api/planted.ts', 'yaml'],
  ['zod stays at home', 'operator/http/planted.ts', 'zod'],
];

/** What a rule must not find. */
const FINE: readonly (readonly [from: string, to: string, statement?: string])[] = [
  ['operator/app.ts', 'operator/lease/open.ts'],
  ['operator/app.ts', 'operator/workloads/b/reconciler.ts'],
  ['operator/lease/open.ts', 'operator/lease/redis.ts', 'await import'],
  ['operator/leadership/guard.ts', 'operator/lease/cell-store.ts'],
  ['operator/controller/queue.ts', '@kubernetes/client-node', 'import type'],
  ['operator/controller/queue.test.ts', 'operator/lib/testing/fake-clock.ts'],
  ['operator/reconcile/metadata.ts', 'node:crypto'],
  ['operator/workloads/b/observe.ts', 'operator/lib/duration.ts'],
  ['hack/tool.ts', 'operator/app.ts'],
];

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'highlander-imports-'));
  for (const [, from, to] of PLANTED) plant(from, to);
  for (const [from, to, statement] of FINE) plant(from, to, statement);
});
afterAll(() => rmSync(root, { recursive: true }));

function plant(from: string, to: string, statement = 'import'): void {
  const inTree = /^(operator|hack)\//.test(to);
  if (inTree) append(to, '');
  const specifier = inTree ? posix.relative(dirname(from), to).replace(/^(?!\.)/, './') : to;
  append(
    from,
    statement === 'await import' ? `await import('${specifier}');\n` : `${statement} X from '${specifier}';\n`,
  );
}

function append(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { flag: 'a' });
}

function targetOf(to: string): string {
  return /^(operator|hack)\/|^node:/.test(to) ? to : `package:${to}`;
}

describe('the import rules', () => {
  it('find each planted violation, and nothing else', () => {
    const found = violationsOf(readGraph(root).edges).map(({ rule, from, to }) => `${from} → ${to}: ${rule}`);
    const planted = PLANTED.map(([rule, from, to]) => `${from} → ${targetOf(to)}: ${rule}`);
    expect(planted.filter((violation) => !found.includes(violation))).toEqual([]);
    const fine = FINE.map(([from, to]) => `${from} → ${targetOf(to)}`);
    expect(found.filter((violation) => fine.some((edge) => violation.startsWith(`${edge}:`)))).toEqual([]);
  });

  it('have a violation planted for each of them', () => {
    expect(new Set(PLANTED.map(([rule]) => rule))).toEqual(new Set(ruleNames));
  });

  it.each([
    ['a re-export', `export * from '../config/load.ts';`],
    ['a named re-export', `export { load } from '../config/load.ts';`],
    ['an import on demand', `const load = await import('../config/load.ts');`],
    ['an import of a type', `import type { Config } from '../config/load.ts';`],
    ['an import for its effect', `import '../config/load.ts';`],
  ])('see %s', (_, statement) => {
    append('operator/lib/other.ts', statement);
    expect(violationsOf(readGraph(root).edges).filter(({ from }) => from === 'operator/lib/other.ts')).toHaveLength(1);
    rmSync(join(root, 'operator/lib/other.ts'));
  });

  it.each([
    ['leads nowhere', `import './none.ts';`, 'which is not there'],
    ['is computed', 'await import(`./${name}.ts`);', 'imports a computed path'],
    ['cannot be parsed', 'import from;', 'cannot be parsed'],
  ])('fail on an import that %s', (_, statement, message) => {
    append('operator/lib/other.ts', statement);
    expect(() => readGraph(root)).toThrow(message);
    rmSync(join(root, 'operator/lib/other.ts'));
  });

  it('fail when there is nothing to look at', () => {
    expect(() => readGraph(join(root, 'hack'))).toThrow('No imports were found');
  });
});
