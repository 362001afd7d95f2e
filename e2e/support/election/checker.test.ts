/** Histories in which something is wrong, and the same ones set right. */
import { describe, expect, it } from 'vitest';
import { violations } from './checker.ts';
import type { AcceptedEvent, Event, MemberEvent, RunEvent } from './history.ts';

type Told = MemberEvent | RunEvent | AcceptedEvent;

const at = (time: number, by: string, event: Told): Event => ({ at: time, wall: 0, by, ...event });
const acquired = (sentAt: number, by: string, term: number, ackedAt = sentAt + 1): Event =>
  at(ackedAt, by, { kind: 'acquired', term, sentAt });
const acted = (from: number, by: string, term: number, until = from + 1): Event =>
  at(until, by, { kind: 'acted', term, from });
const accepted = (time: number, by: string, term: number): Event =>
  at(time, by, { kind: 'accepted', object: 'one', version: time, term });

const found = (...events: readonly Event[]) => violations(events).map(({ property }) => property);

describe('terms', () => {
  it('may not be taken twice, nor go back', () => {
    expect(found(acquired(1, 'a', 1), acquired(5, 'b', 2))).toEqual([]);
    expect(found(acquired(1, 'a', 2), acquired(5, 'b', 1))).toEqual(['terms grow']);
    expect(found(acquired(1, 'a', 1), acquired(5, 'b', 1))).toContain('terms grow');
  });

  it('count in the order in which they were sent: a reply may be read late', () => {
    expect(found(acquired(1, 'a', 1, 9), acquired(5, 'b', 2))).toEqual([]);
  });

  it('belong to one process', () => {
    expect(found(acquired(1, 'a', 1), acted(2, 'a', 1), acted(4, 'b', 1))).toEqual(['terms grow']);
  });
});

describe('holders', () => {
  it('act one after another', () => {
    expect(found(acted(1, 'a', 1), acted(3, 'a', 1), acted(5, 'b', 2), acted(7, 'b', 2))).toEqual([]);
  });

  it('do not act once a later one does', () => {
    expect(found(acted(1, 'a', 1), acted(5, 'b', 2), acted(7, 'a', 1))).toEqual(['one holder']);
  });

  it('do not act at the same time', () => {
    expect(found(acted(1, 'a', 1, 6), acted(5, 'b', 2))).toEqual(['one holder']);
  });

  it('may end late when they stood still between check and dispatch, but not check late', () => {
    const frozen = [at(2, 'a', { kind: 'frozen' }), at(8, 'a', { kind: 'thawed' })];
    expect(found(...frozen, acted(1, 'a', 1, 9), acted(5, 'b', 2))).toEqual([]);
    expect(found(...frozen, acted(8.5, 'a', 1), acted(5, 'b', 2))).toEqual(['one holder']);
    expect(found(...frozen, acted(9, 'b', 2, 12), acted(10, 'c', 3))).toEqual(['one holder']);
  });
});

it('an object keeps the later term', () => {
  expect(found(accepted(1, 'a', 1), accepted(2, 'b', 2), accepted(3, 'b', 2))).toEqual([]);
  expect(found(accepted(1, 'a', 1), accepted(2, 'b', 2), accepted(3, 'a', 1))).toEqual(['later term stays']);
});
