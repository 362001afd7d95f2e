/** Two tenants and one workload at a real API server: it decides whose claim counts. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_VERSION } from '../api/group.ts';
import type { WorkloadProcess } from '../api/process.ts';
import { processResource } from '../api/process.ts';
import { StatusWriter } from './apply.ts';
import type { Grant } from './reconciler.ts';
import { Tenancy } from './tenancy.ts';
import { CrdServer } from './testing/crd-server.ts';
import { neglectedStatus, neglectOf } from './unclaimed.ts';

const NAMESPACE = CrdServer.namespace;
const TENANTS = ['production', 'staging', 'testing'];

let server: CrdServer;
beforeAll(async () => {
  server = await CrdServer.start();
}, 120_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const writer = () => new StatusWriter<WorkloadProcess>(server.client, processResource);
const tenancyOf = (tenant: string) => new Tenancy({ tenant, watchNamespaces: [] });
const read = (name: string) => server.client.get<WorkloadProcess>(processResource, { name, namespace: NAMESPACE });

const grant = (holder: string): Grant => ({
  term: 7,
  holder,
  scope: 'single',
  signal: new AbortController().signal,
  assertHeld: () => {},
  allowGrace: async () => {},
});

function create(name: string): Promise<WorkloadProcess> {
  const metadata = { name, namespace: NAMESPACE };
  const object = { apiVersion: API_VERSION, kind: 'WorkloadProcess', metadata, spec: { image: 'busybox' } };
  return server.client.create(processResource, object as unknown as WorkloadProcess);
}

const take = (workload: WorkloadProcess, tenant: string) =>
  writer().take(workload, tenancyOf(tenant), { now: Date.now(), grant: grant(`${tenant}-1`) });

it('of all that take it at once one has it, and the others are told that it has changed', async () => {
  const workload = await create('raced');
  const taken = await Promise.allSettled(TENANTS.map((tenant) => take(workload, tenant)));
  const failures = taken.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  expect(failures).toEqual([expect.objectContaining({ code: 409 }), expect.objectContaining({ code: 409 })]);
  const live = await read('raced');
  const winner = TENANTS[taken.findIndex(({ status }) => status === 'fulfilled')];
  expect(live?.status?.controller?.tenant).toBe(winner);
  expect(TENANTS.filter((tenant) => tenancyOf(tenant).of(live!) === 'ours')).toEqual([winner]);
});

it('that nobody acts on it covers no claim, and is kept as it is written', async () => {
  const workload = await create('unclaimed');
  const neglect = neglectOf({ by: 'nothing', tenants: TENANTS }, NAMESPACE, [])!;
  const said = await writer().writeAsSeen(workload, neglectedStatus(workload, neglect, '2030-01-01T00:00:00Z'));
  const conditions = said?.status?.conditions?.map(({ type, reason }) => `${type}: ${reason}`);
  expect(conditions).toEqual(['Ready: Unclaimed', 'Stalled: Unclaimed', 'Unclaimed: Unclaimed']);
  const taken = await take(said!, 'staging');
  expect(taken?.status?.conditions?.map(({ type }) => type)).toEqual(['Ready', 'Reconciling']);
  const late = writer().writeAsSeen(
    said!,
    neglectedStatus(said!, { ...neglect, message: 'x' }, '2030-01-01T00:00:00Z'),
  );
  await expect(late).rejects.toMatchObject({ code: 409 });
});

it('whoever lets go of it late takes it from nobody else', async () => {
  const held = await take(await create('handed-over'), 'staging');
  await writer().write(held!, { ...held!.status, controller: { ...held!.status!.controller!, tenant: 'production' } });
  const late = writer().disown(held!, tenancyOf('staging'), { now: '2030-01-01T00:00:00Z', grant: grant('staging-1') });
  await expect(late).rejects.toMatchObject({ code: 409 });
  expect((await read('handed-over'))?.status?.controller?.tenant).toBe('production');
});
