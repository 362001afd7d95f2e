import { describe, expect, it } from 'vitest';
import type { KubeObject } from './cluster-client.ts';
import { compareVersions, ObjectStore, type StoreEvent } from './object-store.ts';

const object = (name: string, version: number, uid = `uid-${name}`, owner?: string): KubeObject => ({
  metadata: { name, namespace: 'a', uid, resourceVersion: String(version), ...(owner && { labels: { owner } }) },
});

function store(): { store: ObjectStore<KubeObject>; seen: string[]; events: StoreEvent<KubeObject>[] } {
  const events: StoreEvent<KubeObject>[] = [];
  const seen: string[] = [];
  const made = new ObjectStore<KubeObject>((event) => {
    events.push(event);
    seen.push(`${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion}`);
  });
  return { store: made, seen, events };
}

describe('ObjectStore', () => {
  it('emits a change once, whichever of reply and event comes first', () => {
    const { store: s, seen, events } = store();
    expect([
      s.upsert(object('p', 9)),
      s.upsert(object('p', 10)),
      s.upsert(object('p', 10)),
      s.upsert(object('p', 9)),
    ]).toEqual([true, true, false, false]);
    expect(seen).toEqual(['added p@9', 'modified p@10']);
    expect(events[1]).toMatchObject({ old: { metadata: { resourceVersion: '9' } } });
  });

  it('does not bring an object back by a reply that arrives after its deletion', () => {
    const { store: s, seen } = store();
    s.upsert(object('p', 5));
    s.delete(object('p', 7));
    expect(s.upsert(object('p', 6))).toBe(false);
    expect(seen).toEqual(['added p@5', 'deleted p@7']);
  });

  it('takes an object back that had left the selector of the watch for a while', () => {
    const { store: s, seen } = store();
    s.upsert(object('p', 5));
    s.delete(object('p', 7));
    s.upsert(object('p', 8));
    expect(seen).toEqual(['added p@5', 'deleted p@7', 'added p@8']);
  });

  it('tells two objects of one name apart', () => {
    const { store: s, seen } = store();
    s.upsert(object('p', 5, 'first'));
    s.upsert(object('p', 8, 'second'));
    s.delete(object('p', 7, 'first'));
    expect(s.upsert(object('p', 6, 'first'))).toBe(false);
    expect(seen).toEqual(['added p@5', 'deleted p@5', 'added p@8']);
    expect(s.get({ namespace: 'a', name: 'p' })?.metadata.uid).toBe('second');
  });

  it('finds in a list what was deleted in the gap, and keeps what we wrote after it', () => {
    const { store: s, seen } = store();
    for (const [name, version] of [
      ['stays', 1],
      ['goes', 2],
      ['ours', 12],
    ] as const)
      s.upsert(object(name, version));
    seen.length = 0;
    s.replace([object('stays', 1), object('new', 9)], '10', false);
    expect(seen).toEqual(['deleted goes@2', 'added new@9']);
    expect(s.list().map((item) => item.metadata.name)).toEqual(['stays', 'ours', 'new']);
    expect(s.upsert(object('goes', 4))).toBe(false);
  });

  it('believes a trusted list although its versions are older', () => {
    const { store: s, seen } = store();
    s.upsert(object('p', 50));
    s.upsert(object('q', 51));
    seen.length = 0;
    s.replace([object('p', 5)], '6', true);
    expect(seen).toEqual(['deleted q@51', 'modified p@5']);
  });

  it('keeps an index up to date through changes of owner, deletions and lists', () => {
    const { store: s } = store();
    const byOwner = (item: KubeObject) =>
      item.metadata.labels?.['owner'] ? { namespace: 'a', name: item.metadata.labels['owner'] } : undefined;
    const of = (name: string): string[] =>
      s.byIndex(byOwner, { namespace: 'a', name }).map((item) => item.metadata.name);
    s.upsert(object('p', 1, 'p', 'x'));
    s.upsert(object('q', 2, 'q', 'x'));
    s.upsert(object('r', 3, 'r'));
    expect([of('x'), of('y')]).toEqual([['p', 'q'], []]);
    s.upsert(object('p', 4, 'p', 'y'));
    s.delete(object('q', 5, 'q', 'x'));
    expect([of('x'), of('y')]).toEqual([[], ['p']]);
    s.replace([object('n', 6, 'n', 'y')], '7', false);
    expect(of('y')).toEqual(['n']);
  });

  it('compares versions as numbers of any size', () => {
    expect(Math.sign(compareVersions('9', '10'))).toBe(-1);
    expect(Math.sign(compareVersions('9007199254740993', '9007199254740992'))).toBe(1);
    expect(compareVersions('7', '7')).toBe(0);
    expect(compareVersions('abc', 'abd')).toBe(1);
  });
});
