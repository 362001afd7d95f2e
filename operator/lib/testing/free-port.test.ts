import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';

const EPHEMERAL = 32_768;

test('ports that are asked for together differ, and no connection is given one of them', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  expect(new Set(ports).size).toBe(20);
  expect(Math.max(...ports)).toBeLessThan(EPHEMERAL);
});

test('a port that is in use is passed over', async () => {
  const taken = (await freePort()) + 1;
  const server = createServer().listen(taken, '127.0.0.1');
  await once(server, 'listening');
  expect(await freePort()).not.toBe(taken);
  server.close();
});
