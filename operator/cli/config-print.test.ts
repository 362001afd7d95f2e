import { expect, it } from 'vitest';
import { resolve } from '../config/testing/resolving.ts';
import { printConfig } from './config-print.ts';

const config = resolve({
  yaml: 'tenant: team-a\nredis: {addr: "redis://me:geheim@r:1"}\nprocesses: [{name: a, image: b, env: {PASSWORD: geheim}}]\n',
  env: {
    HIGHLANDER_PORT: '9090',
    HIGHLANDER_DATABASE_URL: 'postgres://me:geheim@db/x',
  },
});

it('prints every setting with where it came from, as a file that can be loaded', () => {
  const text = printConfig(config, 'yaml');
  expect(text).toContain('tenant: team-a # config.yaml:1:9\n');
  expect(text).toContain('port: 9090 # environment HIGHLANDER_PORT\n');
  expect(text).toContain('ttl: 15s # default\n');
  const again = resolve({ yaml: text });
  expect(again).toMatchObject({ tenant: 'team-a', port: 9090, lease: config.lease, storageType: 'redis' });
});

it.each(['yaml', 'json'] as const)('shows no configured secret wherever it stands (%s)', (output) => {
  const secret = 'tr@ustno1/x';
  const processes = [
    {
      name: 'a',
      image: 'b',
      args: ['--db', `postgres://a:${encodeURIComponent(secret)}@h`, '--api-token', 'fromArgs'],
    },
    { name: 'b', image: 'b', env: { DB_PASSWORD: 'fromEnv' }, script: { commands: [`login "fromEnv" ${secret}`] } },
  ];
  const given = resolve({ yaml: JSON.stringify({ redis: { addr: 'r:1', password: secret }, processes }) });
  const text = printConfig(given, output);
  for (const each of [secret, encodeURIComponent(secret), 'fromArgs', 'fromEnv']) expect(text).not.toContain(each);
});

it.each(['yaml', 'json'] as const)('shows no secret (%s)', (output) => {
  const text = printConfig(config, output);
  expect(text).not.toContain('geheim');
  expect(text).toContain('redis://me:***@r:1');
});
