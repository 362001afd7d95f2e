import { decodeRecord } from '../../../operator/leadership/lease-record.ts';
import type { CellStore } from '../../../operator/lease/cell-store.ts';
import { now } from './history.ts';

/**
 * The same store; tells of each write that began a term and was acknowledged. One whose reply comes from another
 * incarnation than the record's does not count, as the elector does not count it.
 */
export function telling(store: CellStore, key: string, acquired: (term: number, sentAt: number) => void): CellStore {
  let highest = 0;
  return {
    kind: store.kind,
    read: (at, call) => store.read(at, call),
    async write(at, value, expected, call) {
      const sentAt = now();
      const reply = await store.write(at, value, expected, call);
      if (at !== key || !reply.ok) return reply;
      const { holder, term, incarnation } = decodeRecord(value);
      if (holder === null || term <= highest || incarnation !== reply.incarnation) return reply;
      highest = term;
      acquired(term, sentAt);
      return reply;
    },
    remove: (at, expected, call) => store.remove(at, expected, call),
    list: (prefix, call) => store.list(prefix, call),
    subscribe: (at, hint) => store.subscribe(at, hint),
    close: () => store.close(),
  };
}
