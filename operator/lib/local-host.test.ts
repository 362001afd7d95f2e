import { expect, it } from 'vitest';
import { isLocalHost } from './local-host.ts';

it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]', '/run/redis.sock'])('%s is local', (host) => {
  expect(isLocalHost(host)).toBe(true);
});

it.each(['localhost.example.com', '128.0.0.1', '1127.0.0.1', '127.0.0.1.example.com', '::2', 'db', ''])(
  '%s is not',
  (host) => expect(isLocalHost(host)).toBe(false),
);
