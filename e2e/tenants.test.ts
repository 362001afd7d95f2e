/** Several tenants on one cluster and one store: whose a workload is, how it changes hands, and what rights that takes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { kubectl } from '../hack/lab/kubectl.ts';
import { examples } from '../operator/config/testing/published.ts';
import { overlaps, waitFor } from './support/cluster/index.ts';
import type { Pod } from './support/stage.ts';
import { Stage } from './support/stage.ts';

const ROOT = resolve(import.meta.dirname, '..');
const LABEL = 'highlander.plexobject.io/tenant';
const NAMESPACES = ['team-a', 'team-b', 'shared', 'tenant-a', 'tenant-b'];
const RBAC = join(ROOT, 'manifests/samples/rbac-namespaced.yaml');

let stage: Stage;
let folder: string;

beforeAll(async () => {
  stage = await Stage.open();
  folder = mkdtempSync(join(tmpdir(), 'highlander-tenants-'));
  for (const name of NAMESPACES) await stage.kube.run('create', 'namespace', name);
}, 600_000);

afterEach(async () => {
  await stage.endControllers('SIGTERM');
});

afterAll(async () => {
  for (const name of NAMESPACES) await stage?.kube.run('delete', 'workloadprocesses', '--all', '-n', name);
  await stage?.kube.run('delete', 'namespace', ...NAMESPACES, '--wait=false');
  await stage?.close();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

const yaml = (name: string, namespace: string, labels: object = {}) =>
  stringify({
    apiVersion: 'highlander.plexobject.io/v1',
    kind: 'WorkloadProcess',
    metadata: { name, namespace, labels },
    spec: {
      image: 'busybox:latest',
      script: { commands: ['trap "sleep 2; exit 0" TERM', 'while true; do sleep 0.2; done'] },
      terminationGracePeriod: '10s',
    },
  });

const start = (tenant: string, watchNamespaces: readonly string[] = []) =>
  stage.startController(tenant, {
    config: stringify({ tenant, watchNamespaces, redis: { addr: stage.redis?.addr } }),
  });

/** The tenant whose leader has it, once one does. */
const holder = (name: string, namespace: string, tenant: string) =>
  waitFor(`${tenant} to have ${name}`, async () => {
    const found = await stage.workload(name, namespace);
    return found?.status?.controller?.tenant === tenant && found.status.healthy ? found : undefined;
  });

describe.skipIf(!inject('realNodes'))('tenants', () => {
  it('have what is labelled as theirs, what is in their namespaces, and the default tenant the rest', async () => {
    // Whoever comes second knows of the first from the start; the other way round it hears of it seconds later.
    await start('team-a', ['team-a']);
    await waitFor('it to lead', async () => (await stage.kube.run('get', 'leases', '-o', 'name')).includes('team-a'));
    await start('default');
    await stage.kube.apply(yaml('same', 'team-a'));
    await stage.kube.apply(yaml('same', 'team-b'));
    await stage.kube.apply(yaml('labelled', 'team-b', { [LABEL]: 'default' }));
    await Promise.all([
      holder('same', 'team-a', 'team-a'),
      holder('same', 'team-b', 'default'),
      holder('labelled', 'team-b', 'default'),
    ]);
    const pods = await Promise.all(['team-a', 'team-b'].map((namespace) => stage.pod('same-pod', namespace)));
    expect(pods.map((pod) => pod?.metadata.labels?.[LABEL])).toEqual(['team-a', 'default']);
  });

  it('hand a workload over when its label changes: never two instances', async () => {
    await Promise.all([start('default'), start('team-b')]);
    await stage.kube.apply(yaml('moves', 'shared'));
    await holder('moves', 'shared', 'default');
    const recorder = await stage.cluster.recordContainers('shared');
    await stage.kube.run('label', 'workloadprocess', 'moves', '-n', 'shared', `${LABEL}=team-b`);
    await holder('moves', 'shared', 'team-b');
    const times = recorder.times();
    recorder.stop();
    expect(new Set(times.map(({ pod }) => pod)).size).toBe(1);
    expect(times.length).toBeGreaterThan(1);
    expect(overlaps(times)).toEqual([]);
  });

  it('refuse what two of them claim, until a label says whose it is', async () => {
    const both = await Promise.all([start('team-a', ['shared']), start('team-b', ['shared'])]);
    await Promise.all(both.map((each) => each.logged('The other tenants of this cluster or their namespaces changed')));
    await stage.kube.apply(yaml('disputed', 'shared'));
    await stage.reason('disputed', 'ClaimedByTwoTenants', 'shared');
    expect(await stage.pod('disputed-pod', 'shared')).toBeUndefined();
    await stage.kube.run('label', 'workloadprocess', 'disputed', '-n', 'shared', `${LABEL}=team-a`);
    await holder('disputed', 'shared', 'team-a');
  });

  it('that are two, and none of them default: a workload without a label says that it is owned by nobody, until one has it', async () => {
    await Promise.all([start('production'), start('staging')]);
    await stage.kube.apply(yaml('ambiguous', 'shared'));
    await stage.kube.apply(yaml('misspelt', 'shared', { [LABEL]: 'prodution' }));
    const unclaimed = (name: string, reason: string) =>
      waitFor(`${name} to be unclaimed: ${reason}`, async () =>
        (await stage.workload(name, 'shared'))?.status?.conditions?.find(
          (each) => each.type === 'Unclaimed' && each.reason === reason,
        ),
      );
    const ambiguous = await unclaimed('ambiguous', 'Unclaimed');
    expect(ambiguous.message).toContain('tenants with a controller here: production, staging');
    expect(ambiguous.message).toContain(LABEL);
    const misspelt = await unclaimed('misspelt', 'TenantNotHere');
    expect(misspelt.message).toContain('It belongs to tenant prodution');
    expect(await stage.pod('ambiguous-pod', 'shared')).toBeUndefined();
    await stage.kube.run('label', 'workloadprocess', 'ambiguous', '-n', 'shared', `${LABEL}=staging`);
    const { status } = await holder('ambiguous', 'shared', 'staging');
    expect(status?.conditions?.map(({ type }) => type)).toEqual(['Ready']);
  });

  it('need rights in their own namespace only', async () => {
    await stage.kube.run('apply', '-f', RBAC);
    const kubeconfig = await kubeconfigOf('highlander', 'team-a');
    const config = {
      tenant: 'narrow',
      namespace: 'team-a',
      watchNamespaces: ['team-a'],
      redis: { addr: stage.redis?.addr },
    };
    const withoutId = highlander([
      'run',
      '--config',
      file('without-id.yaml', { ...config, port: 0, cluster: { kubeconfig } }),
    ]);
    expect(withoutId).toContain('set cluster.id to a value that is unique to this cluster');
    const answer = await kubectl(kubeconfig)
      .run('auth', 'can-i', 'list', 'pods', '-A')
      .catch((error: { readonly stdout: string }) => error.stdout);
    expect(answer.trim()).toBe('no');
    await stage.startController('narrow', {
      kubeconfig,
      config: stringify({ ...config, cluster: undefined }),
      env: { HIGHLANDER_CLUSTER_ID: 'test-cluster' },
    });
    await stage.kube.apply(yaml('narrow', 'team-a'));
    await holder('narrow', 'team-a', 'narrow');
    await stage.kube.run('delete', 'workloadprocess', 'narrow', '-n', 'team-a');
    await stage.noPod('narrow-pod', 'team-a');
  });

  it('of the published example each lead for themselves', async () => {
    const files = examples.config.filter(({ text }) => text.includes('-processor"') && text.includes('tenant-'));
    expect(files).toHaveLength(2);
    const env = { HIGHLANDER_REDIS_ADDR: stage.redis?.addr ?? '' };
    const controllers = await Promise.all(
      files.map(({ text }, index) => stage.startController(`published-${index}`, { file: text, env })),
    );
    await waitFor('both to lead', async () => {
      const leads = await Promise.all(controllers.map((each) => each.metric('k8_highlander_is_leader')));
      return leads.every((value) => value === 1);
    });
    await stage.kube.apply(yaml('published', 'tenant-a', { [LABEL]: 'tenant-a' }));
    await stage.kube.apply(yaml('published', 'tenant-b', { [LABEL]: 'tenant-b' }));
    await stage.kube.apply(yaml('unlabelled', 'tenant-a'));
    await stage.kube.apply(yaml('unlabelled', 'tenant-b'));
    await Promise.all(
      ['published', 'unlabelled'].flatMap((name) =>
        ['tenant-a', 'tenant-b'].map((tenant) => holder(name, tenant, tenant)),
      ),
    );
  });

  it('of the published example with two replicas and the name of a tenant have what is applied without a label', async () => {
    const config = examples.config.find(({ text }) => text.includes('# Cluster configuration'))?.text ?? '';
    const { env, replicas } = publishedDeployment();
    expect([env['HIGHLANDER_TENANT'], replicas]).toEqual(['production', 2]);
    const settings = { ...env, HIGHLANDER_REDIS_ADDR: stage.redis?.addr ?? '' };
    const names = Array.from({ length: replicas }, (_, index) => `replica-${index}`);
    await Promise.all(names.map((name) => stage.startController(name, { file: config, env: settings })));
    const sample = examples.manifests.find(({ content }) => content['kind'] === 'WorkloadCronJob')?.text ?? '';
    await stage.kube.apply(sample);
    await stage.kube.apply(yaml('anywhere', 'team-b'));
    await holder('anywhere', 'team-b', 'production');
    const made = await waitFor('the sample to be made', () =>
      stage.object<Pod>('apis/batch/v1', 'cronjobs/sample-cronjob'),
    );
    expect(made.metadata.labels?.[LABEL]).toBe('production');
    await stage.kube.run('delete', 'workloadcronjob', 'sample-cronjob', '--wait=false');
  });
});

/** What the high-availability example gives each of its replicas. */
function publishedDeployment(): { readonly env: Readonly<Record<string, string>>; readonly replicas: number } {
  const deployment = examples.manifests.find(({ content }) => content['kind'] === 'Deployment');
  if (!deployment) throw new Error('there is no such example');
  const { replicas, template } = deployment.content['spec'] as {
    readonly replicas: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly env: readonly { name: string; value: string }[] }[] };
    };
  };
  const env = template.spec.containers[0]?.env ?? [];
  return { replicas, env: Object.fromEntries(env.map(({ name, value }) => [name, value])) };
}

function file(name: string, content: object): string {
  const path = join(folder, name);
  writeFileSync(path, stringify(content));
  return path;
}

/** Text of both streams of a controller that does not start. */
function highlander(args: readonly string[]): string {
  const program = [join(ROOT, 'node_modules/.bin/node'), join(ROOT, 'dist/main.mjs')] as const;
  const { stdout, stderr } = spawnSync(program[0], [program[1], ...args], { encoding: 'utf8', timeout: 30_000 });
  return `${stdout}${stderr}`;
}

async function kubeconfigOf(account: string, namespace: string): Promise<string> {
  const token = (await stage.kube.run('create', 'token', account, '-n', namespace)).trim();
  const admin = parse(readFileSync(stage.cluster.kubeconfigPath, 'utf8')) as {
    readonly users: [{ readonly name: string }];
  };
  return file('narrow.kubeconfig', { ...admin, users: [{ name: admin.users[0].name, user: { token } }] });
}
