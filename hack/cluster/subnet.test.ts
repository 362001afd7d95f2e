import { expect, test } from 'vitest';
import { bridgeAddress, chooseSlot, clusterAddress, overlaps, slotPrefix } from './subnet.ts';

test('takes the first subnet that nobody has', () => {
  expect(chooseSlot(new Set(), [])).toBe(0);
  expect(chooseSlot(new Set([0, 1, 3]), [])).toBe(2);
});

test('keeps away from the routes of the host', () => {
  expect(chooseSlot(new Set(), ['10.250.0.0/23'])).toBe(2);
  expect(chooseSlot(new Set(), ['10.250.0.77'])).toBe(1);
  expect(slotPrefix(chooseSlot(new Set(), ['10.0.0.0/8']))).toBe('198.18.0');
  expect(() => chooseSlot(new Set(), ['0.0.0.0/1', '128.0.0.0/1'])).toThrow('no free subnet');
});

test('gives every cluster and node an address of its own', () => {
  const all = [bridgeAddress(3)];
  for (let cluster = 1; cluster <= 15; cluster++)
    for (let node = 0; node <= 14; node++) all.push(clusterAddress(3, cluster, node));
  expect(new Set(all).size).toBe(all.length);
  expect(all.every((address) => /^10\.250\.3\.\d+$/.test(address) && Number(address.split('.')[3]) < 255)).toBe(true);
});

test.each([
  ['10.250.0.0/24', '10.250.0.0/24', true],
  ['10.250.0.0/24', '10.250.1.0/24', false],
  ['192.0.2.0/24', '192.0.2.255', true],
  ['0.0.0.0/0', '10.1.2.3/32', true],
])('%s and %s overlap: %s', (one, other, expected) => {
  expect(overlaps(one, other)).toBe(expected);
});
