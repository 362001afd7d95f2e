import { expect, it } from 'vitest';
import { decodeLedger, encodeLedger, withClaim, withState, type Claim, type CronLedger } from './cron-ledger.ts';

const START = Date.UTC(2030, 0, 1);
const empty: CronLedger = { mark: START, activation: { clusterId: 'east', at: START }, claims: [] };
const claim = (n: number): Claim => ({
  instant: START + n * 60_000,
  term: 7,
  clusterId: 'east',
  jobUid: `u${n}`,
  state: 'claimed',
});

it('comes back from its text as it was, with times that people can read', () => {
  const ledger = withClaim(empty, claim(1));
  const text = encodeLedger(ledger, 'first');
  expect(text).toContain('"mark":"2030-01-01T00:01:00.000Z"');
  expect(decodeLedger(text)).toEqual({ ledger, incarnation: 'first' });
});

const SOUND = '"activation":{"clusterId":"east","at":"2030-01-01T00:00:00Z"}';

it.each([
  '',
  '{}',
  'null',
  '{"mark":"soon","activation":{"at":"now"},"claims":[]}',
  `{"mark":17,${SOUND},"claims":[]}`,
  `{"mark":"2030-01-01T00:00:00Z",${SOUND},"claims":[{}]}`,
  `{"mark":"2030-01-01T00:00:00Z",${SOUND},"claims":[{"instant":"2030-01-01T00:00:00Z","term":1,"clusterId":"east","jobUid":"u","state":"runs"}]}`,
])('does not take %j for a ledger', (text) => {
  expect(() => decodeLedger(text)).toThrow('is another application using this key?');
});

it.each<[string, CronLedger]>([
  ['more claims than are read', { ...empty, claims: Array.from({ length: 1001 }, (_, n) => claim(n)) }],
  ['a name that is too long', { ...empty, activation: { clusterId: 'x'.repeat(1000), at: START } }],
  ['a term that is none', { ...empty, claims: [{ ...claim(1), term: -1 }] }],
  ['a mark that is no time', { ...empty, mark: Number.NaN }],
])('writes nothing that could not be read: %s', (_, ledger) => {
  expect(() => encodeLedger(ledger, 'first')).toThrow();
});

it('does not take a text without end for a ledger', () => {
  const text = `{"mark":"2030-01-01T00:00:00Z",${SOUND},"claims":[],"more":"${'x'.repeat(1_000_001)}"}`;
  expect(() => decodeLedger(text)).toThrow('longer than');
});

it('reads a ledger that was written before stores had incarnations', () => {
  expect(decodeLedger(`{"mark":"2030-01-01T00:00:00Z",${SOUND},"claims":[]}`)).toEqual({
    ledger: empty,
    incarnation: '',
  });
});

it('never goes back, and forgets runs that have ended but for the last ten', () => {
  let ledger = withClaim(empty, claim(100));
  for (let n = 0; n < 30; n++) {
    const each = claim(n);
    ledger = withState(withClaim(ledger, each), each, n === 3 ? 'started' : 'done');
  }
  expect(ledger.mark).toBe(claim(100).instant);
  const kept = ledger.claims.map(({ jobUid }) => jobUid);
  expect(kept).toEqual(['u100', 'u3', ...Array.from({ length: 10 }, (_, i) => `u${20 + i}`)]);
});
