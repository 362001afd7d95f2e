import { describe, expect, it } from 'vitest';
import { processSpec } from './process.ts';

it('fills in the defaults that the API server fills in too', () => {
  expect(processSpec.parse({ image: 'busybox', script: { commands: ['true'] } })).toEqual({
    image: 'busybox',
    imagePullPolicy: 'IfNotPresent',
    script: { commands: ['true'], shell: '/bin/sh' },
    restartPolicy: 'OnFailure',
    replicas: 1,
    suspend: false,
  });
});

describe('refuses', () => {
  it.each([
    ['a quantity that is none', { resources: { cpuRequest: '1x' } }, 'resources.cpuRequest', /is not a quantity/],
    ['a negative amount', { resources: { cpuRequest: -1 } }, 'resources.cpuRequest', /./],
    [
      'a request over its limit',
      { resources: { memoryRequest: '1Gi', memoryLimit: '64Mi' } },
      'resources',
      /must not be more than/,
    ],
    ['a duration that is none', { gracePeriod: '30 seconds' }, 'gracePeriod', /is not a duration/],
    ['two graces', { gracePeriod: '30s', terminationGracePeriod: '40s' }, '', /older name/],
    ['no commands', { script: { commands: [] } }, 'script.commands', /at least one/],
    ['a script beside a command', { script: { commands: ['a'] }, command: ['b'] }, '', /mutually exclusive/],
    ['an unknown restart policy', { restartPolicy: 'Sometimes' }, 'restartPolicy', /./],
    ['a negative number of restarts', { maxRestarts: -1 }, 'maxRestarts', /./],
    ['our own environment variables', { env: { HIGHLANDER_TENANT: 'x' } }, 'env', /set by the operator/],
    ['a sidecar named main', { sidecars: [{ name: 'main', image: 'b' }] }, 'sidecars', /reserved for the main/],
    ['no image', { image: undefined }, 'image', /./],
  ])('%s', (_sentence, given, path, message) => {
    const { error } = processSpec.safeParse({ image: 'b', ...given });
    expect(error?.issues[0]?.path.join('.')).toBe(path);
    expect(error?.issues[0]?.message).toMatch(message);
  });
});

it.each(['30s', '1m30s', '45', 45, '0', '.5s', '1.5h'])('takes %j for a duration', (gracePeriod) => {
  expect(processSpec.safeParse({ image: 'b', gracePeriod }).success).toBe(true);
});
