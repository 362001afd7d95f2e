/** Specs of all kinds, each with one thing changed: what people write, and what they get wrong. */
import { stringifyYaml } from '../../lib/yaml.ts';
import type { Spec } from './changes.ts';
import { OWN } from './own-changes.ts';
import { SHARED } from './shared-changes.ts';

export interface Input {
  readonly group: string;
  readonly name: string;
  readonly text: string;
  /** The cluster takes it, but its pod could never start: `validate` refuses more. */
  readonly neverRuns?: true;
}

const BASES: Readonly<Record<string, Spec>> = {
  WorkloadProcess: { image: 'busybox:latest', command: ['sleep', '1000'], terminationGracePeriod: '5s' },
  WorkloadCronJob: { image: 'busybox:latest', schedule: '*/5 * * * *', script: { commands: ['date'] } },
  WorkloadService: { image: 'nginx:1.27', ports: [{ name: 'http', containerPort: 80 }], healthCheckPath: '/' },
  WorkloadPersistent: {
    image: 'postgres:16',
    ports: [{ name: 'pg', containerPort: 5432 }],
    persistentVolumes: [{ name: 'data', mountPath: '/data', size: '1Gi' }],
  },
};

const NAMES = [
  'a',
  'a-1',
  'A',
  '-a',
  'a-',
  'a.b',
  'a_b',
  '1a',
  'x'.repeat(52),
  'x'.repeat(53),
  'x'.repeat(63),
  'x'.repeat(64),
  '',
  7,
  null,
];

const METADATA: readonly Spec[] = [
  { labels: { a: 'b' } },
  { labels: { a: 1 } },
  { labels: { 'a b': 'c' } },
  { labels: { a: 'b c' } },
  { annotations: { a: true } },
  { annotations: { 'a b': 'c' } },
  { annotations: { a: 'b' } },
  { naem: 'x' },
  { finalizers: ['a'] },
  { namespace: 'shop' },
];

/** Every base with every change. */
export function mutations(): readonly Input[] {
  return Object.entries(BASES).flatMap(([kind, base]) => [
    ...[...SHARED, ...(OWN[kind] ?? [])].map(([name, change]) => input(kind, name, { spec: change(base) })),
    ...NAMES.map((name) =>
      input(kind, `name ${String(name).slice(0, 20)} (${String(name).length})`, { metadata: { name }, spec: base }),
    ),
    ...METADATA.map((more) =>
      input(kind, `metadata ${JSON.stringify(more)}`, { metadata: { name: 'app', ...more }, spec: base }),
    ),
    ...[{ spec: null }, { spec: [] }, { spec: 'x' }, { spec: base, status: {} }, { spec: base, extra: 1 }].map((more) =>
      input(kind, `object ${Object.keys(more).join(' ')} ${typeof more.spec}`, more),
    ),
  ]);
}

function input(kind: string, name: string, more: object): Input {
  const object = { apiVersion: 'highlander.plexobject.io/v1', kind, metadata: { name: 'app' }, ...more };
  return { group: kind, name, text: stringifyYaml(object) };
}
