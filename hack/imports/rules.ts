/**
 * Which file may import which: imports go down only. The tables are the architecture, docs/ARCHITECTURE.md says why.
 * `rules.test.ts` plants a violation of every rule and sees it found.
 */
import type { Edge } from './graph.ts';

export interface ImportRule {
  readonly name: string;
  /** The rule is about production code at these paths. */
  readonly from: RegExp;
  /** These targets are forbidden. */
  readonly to: RegExp;
  /** `import type` is no violation. */
  readonly typesAllowed?: true;
}

export interface Violation extends Edge {
  readonly rule: string;
}

const TEST_CODE = /\.test\.ts$|\/testing\//;
const PURE =
  'operator/(?:workloads/[^/]+/(?:desired|observe|decide|claims|claim-growth|claim-templates|services|catch-up|instants|jobs|mark|notes|stuck|view)|reconcile/(?:child|ending|parking|vanished|child-look|child-metadata|child-obstacles|child-plan|contains|content-hash|forged-marks|gone|metadata|missing-pod|owner|plan|pod-defaults|pod-environment|pod-template|pod-trouble|pod-volumes|probes|removal|replicas|script|service-names|service-ports|status|strategic-merge|successor|unclaimed)|ledger/cron-ledger|leadership/(?:activation|clusters|election|decide|observe|permit|timing|lease-record))\\.ts';
const DRIVER = 'operator/lease/(?:redis|kubernetes|postgres|spanner|sqlite)\\.ts';
const APP = 'app(?:\\.ts|/)';
const ENTRY = '(?:main\\.ts|cli(?:\\.ts|/)|function\\.ts)';

/** What each folder may see of `operator/` besides itself, `api` and `lib`. Patterns. */
const MAY_SEE: Readonly<Record<string, readonly string[]>> = {
  api: [],
  lib: [],
  cluster: [],
  lease: [],
  config: [],
  telemetry: [],
  leadership: ['lease/cell-store\\.ts'],
  ledger: ['lease/cell-store\\.ts'],
  reconcile: ['cluster/cluster-client\\.ts'],
  state: ['leadership/.*', 'cluster/cluster-client\\.ts'],
  workloads: ['reconcile/.*', 'ledger/.*', 'cluster/cluster-client\\.ts'],
  controller: ['reconcile/.*', 'leadership/.*', 'cluster/.*'],
  http: ['state/.*'],
  standby: ['context\\.ts', 'reconcile/.*', 'leadership/.*', 'cluster/.*'],
  vitals: ['context\\.ts', 'reconcile/.*', 'leadership/.*', 'cluster/.*', 'telemetry/.*', 'http/health\\.ts'],
  admin: [
    'config/config\\.ts',
    'reconcile/.*',
    'leadership/.*',
    'cluster/.*',
    'lease/cell-store\\.ts',
    'workloads/[^/]+/desired\\.ts',
  ],
};

/** Packages, and where alone their values are used. Patterns below `operator/`. */
const HOMES: Readonly<Record<string, string>> = {
  '@dot-i/k8s-operator': 'controller/',
  '@google-cloud/spanner': 'lease/spanner',
  '@kubernetes/client-node': 'cluster/',
  express: 'http/',
  'google-gax': 'lease/spanner',
  ioredis: 'lease/redis',
  kysely: 'lease/(?:postgres|sqlite|sql-)',
  pg: 'lease/postgres',
  'prom-client': 'telemetry/',
  undici: 'cluster/',
  winston: 'telemetry/',
  yaml: '(?:lib/yaml|config/|cluster/|cli)',
  zod: '(?:api|config)/',
};

export const importRules: readonly ImportRule[] = [
  ...Object.entries(MAY_SEE).map(([folder, seen]) => ({
    name: `${folder} sees only what is below it`,
    from: starting(`operator/${folder}/`),
    to: starting(`operator/(?!${[`${folder}/.*`, 'api/.*', 'lib/.*', ...seen].map((path) => `${path}$`).join('|')})`),
  })),
  {
    name: 'the app is loaded by entries, and played by the simulator',
    from: starting(`operator/(?!${ENTRY}|${APP}|sim/)`),
    to: starting(`operator/${APP}`),
  },
  { name: 'entries are loaded by entries', from: starting(`operator/(?!${ENTRY})`), to: starting(`operator/${ENTRY}`) },
  {
    name: 'pure files see only pure files',
    from: starting(PURE),
    to: starting(`(?!${PURE})operator/(?!api/|lib/(?!clock|logger)|lease/cell-store\\.ts)`),
  },
  { name: 'pure files do nothing', from: starting(PURE), to: /^(node:(?!crypto$)|package:)/, typesAllowed: true },
  {
    name: 'drivers are opened by open.ts',
    from: starting(`(?!operator/lease/open\\.ts|${DRIVER})operator/`),
    to: starting(DRIVER),
  },
  {
    name: 'only the app composes',
    from: starting(`operator/(?!${APP})`),
    to: starting('operator/(lease/open|workloads/[^/]+/reconciler)\\.ts'),
  },
  {
    name: 'test doubles stay in tests',
    from: starting('operator/'),
    to: new RegExp(`^operator/.*(${TEST_CODE.source})`),
  },
  { name: 'the product sees no tools', from: starting('operator/'), to: starting('(hack|e2e|bench)/') },
  ...Object.entries(HOMES).map(([name, home]) => ({
    name: `${name} stays at home`,
    from: starting(`operator/(?!${home})`),
    to: new RegExp(`^package:${name}$`),
    typesAllowed: true as const,
  })),
];

const KINDS = 'kinds are strangers';

/** All rules by name, those included that compare both ends. */
export const ruleNames: readonly string[] = [...importRules.map(({ name }) => name), KINDS];

export function violationsOf(edges: readonly Edge[]): readonly Violation[] {
  return edges
    .filter(({ from }) => !TEST_CODE.test(from))
    .flatMap((edge) => brokenBy(edge).map((rule) => ({ ...edge, rule })));
}

function brokenBy({ from, to, typeOnly }: Edge): readonly string[] {
  const broken = importRules.filter(
    (rule) => rule.from.test(from) && rule.to.test(to) && !(rule.typesAllowed && typeOnly),
  );
  return [...broken.map(({ name }) => name), ...(kind(from) && kind(to) && kind(from) !== kind(to) ? [KINDS] : [])];
}

function kind(path: string): string | undefined {
  return /^operator\/workloads\/([^/]+)\//.exec(path)?.[1];
}

function starting(pattern: string): RegExp {
  return new RegExp(`^${pattern}`);
}
