/** Of the inputs that `validate` and the cluster take, a sample on a real cluster: each one runs, or its status says why it does not. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mutations } from '../operator/cli/testing/mutations.ts';
import { worldly } from '../operator/cli/testing/worldly.ts';
import { checkSources } from '../operator/cli/workloads.ts';
import { stringifyYaml } from '../operator/lib/yaml.ts';
import { waitFor } from './support/cluster/index.ts';
import type { Workload } from './support/stage.ts';
import { Stage } from './support/stage.ts';

const NAMESPACE = 'verdicts';
const KINDS = 'workloadprocesses,workloadservices,workloadpersistents,workloadcronjobs';
const EVERY = 7;
/** Those that say after a while that they have not become ready. */
const PATIENT = ['WorkloadService', 'WorkloadPersistent'];
const ROOT = resolve(import.meta.dirname, '..');

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
  await stage.kube.run('create', 'namespace', NAMESPACE);
  await stage.startController('verdicts-1');
  await stage.leader();
}, 600_000);

afterAll(async () => {
  await stage?.kube.run('delete', KINDS, '--all', '-n', NAMESPACE, '--timeout=120s');
  await stage?.kube.run('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
  await stage?.close();
}, 180_000);

interface Sample {
  readonly from: string;
  readonly object: { readonly kind: string; readonly metadata: { readonly name: string } };
}

/** Under names of their own, without the labels that would make them another tenant's. */
function samples(): readonly Sample[] {
  const accepted = [...worldly(ROOT), ...mutations().filter((_, index) => index % EVERY === 0)].filter(
    ({ text }) => checkSources([{ name: 'input.yaml', text }]).findings.length === 0,
  );
  const objects = accepted.flatMap(({ group, name, text }) =>
    checkSources([{ name: 'input.yaml', text }]).workloads.map((each) => ({ from: `${group}, ${name}`, each })),
  );
  return objects.map(({ from, each: { apiVersion, kind, spec } }, index) => ({
    from,
    object: {
      apiVersion,
      kind,
      metadata: { name: `v-${index}`, namespace: NAMESPACE },
      spec: PATIENT.includes(kind) ? { ...(spec as object), readinessTimeout: '60s' } : spec,
    },
  }));
}

/** Undefined: it runs, or says why it does not. */
function silenceOf({ status }: Workload): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True' || status?.lastError !== undefined || ready?.reason === 'Suspended') return undefined;
  if (ready?.message.includes('; it requires ')) return undefined;
  return `${ready?.reason ?? 'no status'}: ${ready?.message ?? ''}`;
}

it('each one runs, or says why not', async () => {
  const all = samples();
  expect(all.length).toBeGreaterThan(50);
  await stage.kube.apply(all.map(({ object }) => stringifyYaml(object)).join('---\n'));
  let silent: readonly string[] = [];
  await waitFor(
    'a verdict on all of them',
    async () => {
      const list = await stage.kube.run('get', KINDS, '-n', NAMESPACE, '-o', 'json');
      const { items } = JSON.parse(list) as { items: (Workload & { kind: string })[] };
      const found = new Map(items.map((each) => [`${each.kind} ${each.metadata.name}`, each]));
      silent = all.flatMap(({ from, object }) => {
        const live = found.get(`${object.kind} ${object.metadata.name}`);
        const silence = live ? silenceOf(live) : 'it is not there';
        return silence === undefined ? [] : [`${from}: ${silence}`];
      });
      return silent.length === 0;
    },
    { timeoutMs: 240_000, everyMs: 1000 },
  ).catch(() => undefined);
  expect(silent.join('\n')).toBe('');
}, 400_000);
