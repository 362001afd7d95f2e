import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokenTimingRule } from '../leadership/timing.ts';
import type { Environment, Flags } from './environment.ts';
import { loadConfig } from './load.ts';
import { ConfigError } from './problems.ts';

let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'highlander-config-'));
  mkdirSync(join(home, 'here'));
});
afterEach(() => rmSync(home, { recursive: true }));

function load(flags: Flags = {}, environment: Environment = { HIGHLANDER_REDIS_ADDR: 'redis:1' }) {
  return loadConfig({
    flags,
    environment: { HOME: home, ...environment },
    directory: join(home, 'here'),
    brokenTimingRule,
  });
}

describe('loadConfig', () => {
  it('works without any file', () => {
    expect(load().tenant).toBe('default');
  });

  it('prefers the file that was asked for, then the home directory, then the working directory', () => {
    writeFileSync(join(home, 'here', 'config.yaml'), 'tenant: here');
    expect(load().tenant).toBe('here');
    mkdirSync(join(home, '.k8-highlander'));
    writeFileSync(join(home, '.k8-highlander', 'config.yaml'), 'tenant: home');
    expect(load().tenant).toBe('home');
    writeFileSync(join(home, 'mine.yaml'), 'tenant: mine');
    expect(load({ config: '~/mine.yaml' }).tenant).toBe('mine');
  });

  it.each([
    ['that is missing', 'none.yaml', 'ENOENT'],
    ['that is a directory', 'here', 'EISDIR'],
  ])('names a file %s', (_, name, reason) => {
    const path = join(home, name);
    expect(() => load({ config: path })).toThrow(ConfigError);
    expect(() => load({ config: path })).toThrow(`${path} cannot be read as the configuration file: ${reason}`);
  });

  it('finds the kubeconfig in the home directory', () => {
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube', 'config'), '');
    expect(load({}, {})).toMatchObject({
      storageType: 'sqlite',
      cluster: { kubeconfig: join(home, '.kube', 'config') },
      sqlite: { path: join(home, '.local', 'state', 'highlander', 'highlander.db') },
    });
    expect(load({}, { XDG_STATE_HOME: '/state' }).sqlite.path).toBe('/state/highlander/highlander.db');
  });

  it('reads the environment of the process unless told otherwise', () => {
    const config = loadConfig({ flags: { 'redis-addr': 'redis:1' }, directory: home, brokenTimingRule });
    expect(config.redis?.addr).toBe('redis:1');
  });
});
