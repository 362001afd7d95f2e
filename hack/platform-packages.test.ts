import { expect, it } from 'vitest';
import { withPlatformPackages } from './platform-packages.ts';

it('adds what the registry did not have, with the platform that its name tells', () => {
  const builds = {
    '@a/b-linux-x64-gnu': '1.0.0',
    '@a/b-linux-arm64-musl': '1.0.0',
    '@a/b-win32-x64-msvc': '1.0.0',
    fsevents: '2.0.0',
  };
  const present = { version: '1.0.0', cpu: ['x64'], os: ['linux'], optional: true };
  const lock = {
    packages: {
      'node_modules/a': { version: '1.0.0', dev: true, optionalDependencies: builds },
      'node_modules/@a/b-linux-x64-gnu': present,
    },
  };
  expect(withPlatformPackages(lock).packages).toEqual({
    ...lock.packages,
    'node_modules/@a/b-linux-arm64-musl': {
      version: '1.0.0',
      cpu: ['arm64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@a/b-win32-x64-msvc': { version: '1.0.0', cpu: ['x64'], dev: true, optional: true, os: ['win32'] },
  });
});

it('leaves a complete lock as it is', () => {
  const lock = { packages: { 'node_modules/a': { version: '1.0.0' } } };
  expect(withPlatformPackages(lock)).toEqual(lock);
});
