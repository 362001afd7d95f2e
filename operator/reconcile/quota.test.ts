import { expect, it } from 'vitest';
import type { Pod } from '../api/kubernetes.ts';
import { fitsWithout } from './quota.ts';

const running = {
  metadata: { name: 'app-pod' },
  spec: {
    containers: [
      { name: 'main', image: 'x', resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1' } } },
    ],
  },
} as Pod;

it.each([
  ['requested: pods=1, used: pods=1, limited: pods=1', true],
  ['requested: pods=1, used: pods=2, limited: pods=1', false],
  ['requested: requests.cpu=500m, used: requests.cpu=500m, limited: requests.cpu=600m', true],
  ['requested: requests.cpu=2, used: requests.cpu=500m, limited: requests.cpu=1', false],
  ['requested: cpu=600m,pods=1, used: cpu=500m,pods=1, limited: cpu=600m,pods=1', true],
  [
    'requested: limits.cpu=1,requests.memory=2Gi, used: limits.cpu=1,requests.memory=1Gi, limited: limits.cpu=1,requests.memory=1Gi',
    false,
  ],
  ['requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=1, limited: requests.nvidia.com/gpu=1', true],
])('%s: fits %s', (amounts, fits) => {
  expect(fitsWithout(`pods "app-pod" is forbidden: exceeded quota: q, ${amounts}`, running)).toBe(fits);
});

it.each(['exceeded quota', 'exceeded quota: pods=1', '', 'x'.repeat(100_000)])(
  'what cannot be read is no reason',
  (text) => {
    expect(fitsWithout(text, running)).toBe(true);
  },
);
