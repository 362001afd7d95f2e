/** Redis at a Unix socket, with hints, which have a connection of their own. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RedisStore } from './redis.ts';
import { RedisServer } from './testing/redis-server.ts';

const KEY = 'highlander-leader-lock:default';
const call = { timeoutMs: 5000 };

it.each(['', 'unix://'])('an address that begins with "%s/" is that of a Unix socket', async (scheme) => {
  let socket = '';
  await using _server = await RedisServer.startIn(async (folder) => {
    socket = join(folder, 'redis.sock');
    return ['--save', '', '--unixsocket', socket];
  });
  const store = new RedisStore({ addr: `${scheme}${socket}` });
  const hinted = Promise.withResolvers<void>();
  const end = store.subscribe(KEY, hinted.resolve);
  try {
    expect(await store.write(KEY, 'a', undefined, call)).toMatchObject({ ok: true });
    expect((await store.read(KEY, call)).cell?.value).toBe('a');
    await hinted.promise;
  } finally {
    end();
    await store.close();
  }
});
