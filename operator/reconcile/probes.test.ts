import { expect, it } from 'vitest';
import { probesOf, readinessSeconds } from './probes.ts';

it.each([
  [
    'a path on the first port',
    { healthCheckPath: '/up', ports: [{ containerPort: 80 }] },
    { httpGet: { path: '/up', port: 80 } },
  ],
  ['a path without its slash', { healthCheckPath: 'up', healthCheckPort: 81 }, { httpGet: { path: '/up', port: 81 } }],
  ['a port that accepts connections', { healthCheckPort: 81 }, { tcpSocket: { port: 81 } }],
])('%s', (_sentence, spec, check) => {
  const { readinessProbe, livenessProbe, startupProbe } = probesOf(spec);
  for (const probe of [readinessProbe, livenessProbe, startupProbe]) expect(probe ?? {}).toMatchObject(check);
});

it('are none unless asked for', () => expect(probesOf({ ports: [{ containerPort: 80 }] })).toEqual({}));

it('gives a container its whole readiness timeout to start', () => {
  const { startupProbe } = probesOf({ healthCheckPort: 1, readinessTimeout: '90s' });
  expect(startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 90 });
  expect(readinessSeconds({})).toBe(300);
  expect(readinessSeconds({ readinessTimeout: 0 })).toBe(1);
});
