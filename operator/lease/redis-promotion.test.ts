/** What only several servers can do: replicas that take over, masters that come back, witnesses that are missing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CellStore, WriteReply } from './cell-store.ts';
import { RedisStore, type RedisOptions } from './redis.ts';
import { ClusterGroup, command, cutReplicasOff, SentinelGroup, textOf, upToDate } from './testing/redis-group.ts';
import { documentedUser, RedisServer } from './testing/redis-server.ts';

const call = { timeoutMs: 3000 };
const key = 'highlander-leader-lock:default';
const limit = { timeout: 20_000, interval: 20 };
const versionOf = (reply: WriteReply) => (reply.ok ? reply.version : 'refused');
const addrsOf = (servers: readonly RedisServer[]) => servers.map(({ address }) => textOf(address));

const opened: CellStore[] = [];
function open(options: RedisOptions): CellStore {
  const store = new RedisStore({ password: 'right', ...options });
  opened.push(store);
  return store;
}
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const sentinelOf = ({ masterName, sentinels }: SentinelGroup) => ({
  masterName,
  addrs: addrsOf(sentinels),
  password: 'watching',
});

/** Acknowledged, but known to nobody else when the master dies. */
async function loseTheLastWrite(group: SentinelGroup | ClusterGroup, store: CellStore) {
  const [master] = group.servers;
  if (!master) throw new Error('There is no master');
  const kept = await store.write(key, 'kept', undefined, call);
  await upToDate(master, group.replica);
  await cutReplicasOff(master);
  const lost = await store.write(key, 'lost', versionOf(kept), call);
  expect(lost.ok).toBe(true);
  await master.kill();
  return { kept, lost };
}

describe.for([
  ['Sentinels', () => SentinelGroup.start({ replicas: 1, downMs: 500 })],
  ['a cluster', () => ClusterGroup.start({ replica: true, timeoutMs: 1000 })],
] as const)('a replica promoted by %s without the last write', ([, start]) => {
  const optionsOf = (group: SentinelGroup | ClusterGroup): RedisOptions =>
    group instanceof SentinelGroup ? { sentinel: sentinelOf(group) } : { cluster: { addrs: addrsOf(group.servers) } };

  test('shows in the incarnation of every reply, to whoever was there before and to others', async () => {
    await using group = await start();
    const [store, other] = [open(optionsOf(group)), open(optionsOf(group))];
    await other.read(key, call);
    let hints = 0;
    other.subscribe(key, () => (hints += 1));
    await expect.poll(() => hints, limit).toBeGreaterThan(0);
    const { kept, lost } = await loseTheLastWrite(group, store);
    expect(kept.incarnation).toBe(lost.incarnation);

    await expect.poll(() => store.read(key, call).catch(String), limit).toHaveProperty('cell');
    const read = await store.read(key, call);
    expect(read.cell).toMatchObject({ value: 'kept', version: versionOf(kept) });
    expect(read.incarnation).not.toBe(lost.incarnation);
    expect((await other.read(key, call)).incarnation).toBe(read.incarnation);
    // The holder's renewal is refused; that of a process which froze before the lost write is accepted, but by another
    // incarnation than it had read.
    const { incarnation } = read;
    expect(await store.write(key, 'renewed', versionOf(lost), call)).toEqual({ ok: false, incarnation });
    const frozen = await other.write(key, 'frozen', versionOf(kept), call);
    expect(frozen).toMatchObject({ ok: true, incarnation });
    // Hints come from the new master: one for the connection, one for each write.
    await expect
      .poll(async () => {
        hints = 0;
        const { cell } = await store.read(key, call);
        await store.write(key, 'again', cell?.version, call);
        await store.read(key, call);
        return hints;
      }, limit)
      .toBe(1);
  });
});

test('a server that was a replica for a while is another incarnation, although its process is the same', async () => {
  await using one = await RedisServer.start();
  await using other = await RedisServer.start();
  const store = open({ addr: textOf(one.address), password: undefined });
  const before = await store.write(key, 'a', undefined, call);
  await one.command(`REPLICAOF ${other.address.host} ${other.address.port}`);
  await expect.poll(() => store.read(key, call).catch(String), limit).toMatch(/READONLY this server is a replica/);
  await one.command('REPLICAOF NO ONE');
  const after = await store.read(key, call);
  expect(after.incarnation).not.toBe(before.incarnation);
  expect(after.incarnation.split('-')[0]).toBe(before.incarnation.split('-')[0]);
});

describe('Sentinels', () => {
  test('a replaced master that wakes up takes writes, but none of them is acknowledged', async () => {
    await using group = await SentinelGroup.start({ replicas: 1, downMs: 500 });
    const [sleeper, witnessless] = [
      open({ sentinel: sentinelOf(group) }),
      open({ addr: textOf(group.master.address) }),
    ];
    const before = await sleeper.write(key, 'before', undefined, call);
    await witnessless.read(key, call);
    await upToDate(group.master, group.replica);
    group.master.pause();
    await group.promoted(group.replica);
    const other = open({ sentinel: sentinelOf(group) });
    const taken = await other.write(key, 'taken', versionOf(before), call);
    expect(taken.ok).toBe(true);
    group.master.resume();
    await expect(sleeper.write(key, 'too late', versionOf(before), call)).rejects.toMatchObject({
      kind: 'unreachable',
    });
    // Whoever asks nobody is told that the lease is as it was, or that his own write went well.
    const fooled = await witnessless.read(key, call);
    expect(fooled.incarnation).toBe(before.incarnation);
    const now = await sleeper.read(key, call);
    expect(now).toMatchObject({ incarnation: taken.incarnation, cell: { value: 'taken' } });
  });

  test('one that is gone or stands still costs nothing; two are too many, until they are back', async () => {
    await using group = await SentinelGroup.start({ replicas: 0, downMs: 60_000 });
    const [first, second] = group.sentinels;
    const store = open({ sentinel: sentinelOf(group) });
    await store.read(key, call);
    first?.pause();
    const start = performance.now();
    for (let round = 0; round < 5; round += 1) await store.read(key, call);
    expect(performance.now() - start).toBeLessThan(1000);
    await second?.kill();
    await expect(store.read(key, { timeoutMs: 500 })).rejects.toMatchObject({ name: 'StoreError' });
    first?.resume();
    await expect.poll(() => store.read(key, call).catch(String), limit).toHaveProperty('incarnation');
    await first?.kill();
    await expect
      .poll(() => store.read(key, call).catch((error: unknown) => error), limit)
      .toMatchObject({
        kind: 'unreachable',
        message: expect.stringMatching(/^2 of 3 Sentinels did not answer: Sentinel /),
      });
  });
});

describe('Sentinels that cannot be asked', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await SentinelGroup.start({ replicas: 0, downMs: 60_000 });
  });
  afterAll(() => group?.[Symbol.asyncDispose]());

  test.for([
    ['a name that they do not know', { masterName: 'other' }, 'other', /does not monitor a master named "other"/],
    [
      'a wrong password',
      { password: 's3cret' },
      'unauthorized',
      /^\d of 3 Sentinels .*Sentinel 127\.0\.0\.1:\d+: WRONGPASS/,
    ],
    ['no password', { password: undefined }, 'unauthorized', /NOAUTH/],
    ['a password file that is not there', { passwordFile: '/none' }, 'other', /passwordFile .*'\/none'/],
  ] as const)('because of %s say so', async ([, wrong, kind, message]) => {
    const error: unknown = await open({ sentinel: { ...sentinelOf(group), ...wrong } })
      .read(key, call)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StoreError', kind, message: expect.stringMatching(message) });
    expect(JSON.stringify(error) + String(error)).not.toContain('s3cret');
  });
});

test('the rights that the docs ask for are enough for Sentinels, and for a cluster', async () => {
  await using group = await SentinelGroup.start({ replicas: 0, downMs: 60_000 });
  await using nodes = await ClusterGroup.start({ replica: false, timeoutMs: 5000 });
  const user = { username: 'highlander', password: 'password' };
  await command(group.master, documentedUser('+eval '));
  for (const sentinel of group.sentinels) {
    await command(sentinel, documentedUser('+sentinel|'), 'watching');
    await command(sentinel, 'ACL LOG RESET', 'watching');
  }
  for (const node of nodes.masters) await command(node, `${documentedUser('+eval ')} +cluster|slots`);
  for (const options of [
    { sentinel: { ...sentinelOf(group), ...user } },
    { cluster: { addrs: addrsOf(nodes.masters) } },
  ]) {
    const store = open({ ...options, ...user });
    expect(await store.list('highlander-', call)).toEqual([]);
    expect(await store.write(key, 'a', undefined, call)).toMatchObject({ ok: true });
  }
  const refused = await Promise.all([
    ...group.sentinels.map((sentinel) => command(sentinel, 'ACL LOG', 'watching')),
    ...nodes.masters.map((node) => command(node, 'ACL LOG')),
  ]);
  expect(refused).toEqual(refused.map(() => ''));
});

describe('a cluster', () => {
  test('cells are spread over the masters, listed together, and hinted at from wherever they are', async () => {
    await using group = await ClusterGroup.start({ replica: false, timeoutMs: 5000 });
    const store = open({ cluster: { addrs: addrsOf(group.masters) } });
    const keys = Array.from({ length: 12 }, (_, index) => `highlander-presence:a:${index}`);
    let hints = 0;
    const ends = keys.map((each) => store.subscribe(each, () => (hints += 1)));
    await expect.poll(() => hints, limit).toBeGreaterThanOrEqual(keys.length);
    hints = 0;
    for (const each of keys) await store.write(each, each, undefined, call);
    await expect.poll(() => hints, limit).toBe(keys.length);
    for (const end of ends) end();
    const sizes = await Promise.all(group.masters.map((master) => command(master, 'DBSIZE')));
    expect(sizes.every((size) => Number(size) > 0)).toBe(true);
    const listed = await store.list('highlander-presence:a:', call);
    expect(listed.map((cell) => cell.key).sort()).toEqual(keys.toSorted());
  });

  test('a slot that moves is another incarnation, and costs a call at most', async () => {
    await using group = await ClusterGroup.start({ replica: false, timeoutMs: 5000 });
    const store = open({ cluster: { addrs: addrsOf(group.masters) } });
    const before = await store.write(key, 'a', undefined, call);
    await group.move(key);
    await expect
      .poll(() => store.read(key, call).catch(String), limit)
      .toMatchObject({ cell: { value: 'a', version: versionOf(before) } });
    expect((await store.read(key, call)).incarnation).not.toBe(before.incarnation);
  });
});
