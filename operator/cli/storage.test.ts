/** `highlander storage show` and `repair` against the stores themselves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withStore } from '../app/store.ts';
import { resolve } from '../config/testing/resolving.ts';
import { decodeRecord, encodeRecord } from '../leadership/lease-record.ts';
import { encodePresence } from '../leadership/presence-record.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { prepareEmulator } from '../lease/spanner-schema.ts';
import { ApiServer } from '../lease/testing/api-server.ts';
import { PostgresServer } from '../lease/testing/postgres-server.ts';
import { RedisServer } from '../lease/testing/redis-server.ts';
import { missingEmulator, SpannerEmulator } from '../lease/testing/spanner-emulator.ts';
import { storageVerbs } from './storage.ts';
import type { Asked } from './verbs.ts';

const CALL = { timeoutMs: 5000 };
const missing = missingEmulator();
const BROKEN = '{"holder":"a","term":"soon","password":"geheim"}\n\u0007';
const seconds = () => Math.floor(Date.now() / 1000);

interface Place {
  readonly yaml: string;
  readonly close: () => Promise<unknown>;
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  async redis() {
    const server = await RedisServer.start();
    const { host, port } = server.address;
    return { yaml: `redis: {addr: "${host}:${port}"}`, close: async () => server[Symbol.asyncDispose]() };
  },
  async postgres() {
    const server = await PostgresServer.start();
    return {
      yaml: `storageType: db\ndatabaseURL: "${server.url()}"`,
      close: async () => server[Symbol.asyncDispose](),
    };
  },
  async kubernetes() {
    const server = await ApiServer.start();
    const path = join(server.folder, 'kubeconfig');
    await writeFile(path, server.kubeconfig('admin'));
    return {
      yaml: `storageType: kubernetes\nnamespace: default\ncluster: {kubeconfig: "${path}"}`,
      close: async () => server[Symbol.asyncDispose](),
    };
  },
  async spanner() {
    const emulator = await SpannerEmulator.start();
    const { host, port } = emulator.address;
    const ids = { projectID: 'test-project', instanceID: 'highlander-instance', databaseID: 'highlander-db' };
    await prepareEmulator({ ...ids, emulatorHost: `${host}:${port}` });
    return {
      yaml: `storageType: spanner\nspanner: ${JSON.stringify({ ...ids, emulatorHost: `${host}:${port}` })}`,
      close: async () => emulator[Symbol.asyncDispose](),
    };
  },
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), 'highlander-repair-'));
    return {
      yaml: `storageType: sqlite\nsqlite: {path: "${join(folder, 'cells.db')}"}`,
      close: () => rm(folder, { recursive: true }),
    };
  },
};

const kinds = Object.keys(places).filter((kind) => kind !== 'spanner' || missing === undefined);

describe.each(kinds)('in %s', (kind) => {
  let place: Place;
  beforeAll(async () => {
    place = await places[kind]!();
  }, 90_000);
  afterAll(() => place.close());

  const config = () => resolve({ yaml: `${place.yaml}\nlease: {ttl: 2s, renewDeadline: 800ms, retryPeriod: 200ms}` });

  async function put(key: string, value: string): Promise<void> {
    await withStore(config(), async (store) => {
      const { cell } = await store.read(key, CALL);
      expect(await store.write(key, value, cell?.version, CALL)).toMatchObject({ ok: true });
    });
  }

  const lease = () =>
    withStore(config(), async (store) => (await store.read(cellKeys.lease('default'), CALL)).cell?.value ?? '');

  async function ask(verb: string, flags: Readonly<Record<string, string | true>> = {}) {
    let said = '';
    const asked = {
      output: 'yaml',
      text: (name: string) => (typeof flags[name] === 'string' ? flags[name] : undefined),
      has: (name: string) => flags[name] === true,
      config,
    } as unknown as Asked;
    const act = storageVerbs[`storage ${verb}`]!.act;
    const code = await act(asked, { out: (text) => void (said += text), err: () => {} });
    return { code, said };
  }

  const record = (term: number) =>
    encodeRecord({
      holder: 'a',
      cluster: { id: 'east-id', name: 'east' },
      term,
      scope: 'single',
      ttlMs: 1000,
      drainMs: 30_000,
      incarnation: 'i',
      release: 'none',
      pending: [],
    });
  const presence = (beat: number) =>
    encodePresence({ identity: 'a', cluster: { id: 'east-id', name: 'east' }, highestStamp: 3, beat });
  const presenceKey = cellKeys.presence('default', 'a');

  it('nothing is repaired where nothing is broken', async () => {
    expect(await ask('show')).toMatchObject({ code: 0, said: expect.stringContaining('not created yet') });
    expect(await ask('repair', { yes: true })).toEqual({ code: 0, said: 'There is no lease yet\n' });
    await put(cellKeys.lease('default'), record(seconds()));
    expect(await ask('show')).toMatchObject({ code: 0, said: expect.stringContaining('valid: held by a, term') });
    expect(await ask('repair', { yes: true })).toEqual({ code: 0, said: 'The lease is valid\n' });
  });

  it('an unreadable lease is shown, and repaired only with --yes; its text is not lost', async () => {
    await put(cellKeys.lease('default'), BROKEN);
    await put(presenceKey, presence(1));
    const shown = await ask('show');
    expect(shown).toMatchObject({
      code: 1,
      said: expect.stringContaining('broken: key of the lease: expected a lease record, found other data'),
    });
    const tried = await ask('repair');
    expect(tried).toMatchObject({
      code: 1,
      said: expect.stringContaining('Nothing was written: repeat with --yes'),
    });
    expect(await lease()).toBe(BROKEN);
    const done = await ask('repair', { yes: true });
    expect(done).toMatchObject({ code: 0, said: expect.stringMatching(/Repaired: the next term is \d+ or higher/) });
    expect(done.said).toContain(`old text     ${JSON.stringify(BROKEN)}\n`);
    const now = decodeRecord(await lease());
    expect(now).toMatchObject({ holder: null, cluster: { id: 'east-id' }, scope: 'single', incarnation: 'repaired' });
    expect(Math.abs(now.term - seconds())).toBeLessThan(60);
  });

  it('a term that is too high is repaired only when its controllers have stopped', async () => {
    const high = record(2 ** 53 - 1);
    await put(cellKeys.lease('default'), high);
    await put(presenceKey, presence(2));
    const refused = ask('repair', { yes: true }).then(
      () => 'repaired',
      (error: unknown) => String(error),
    );
    let outcome: string | undefined;
    void refused.then((text) => (outcome = text));
    for (let beat = 3; outcome === undefined; beat++) {
      await put(presenceKey, presence(beat));
      await turn(); // SQLite answers without leaving the event loop's turn
    }
    expect(outcome).toContain('stop all controllers of the tenant first, because they use this term: a (east)');
    expect(await lease()).toBe(high);
    expect(await ask('repair', { yes: true })).toMatchObject({ code: 0 });
    expect(decodeRecord(await lease()).term).toBeLessThan(seconds() + 60);
  });
});
