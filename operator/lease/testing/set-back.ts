/** A store whose clock was set back after everything in it was written: it calls every cell new. */
import type { CellStore } from '../cell-store.ts';

export function setBack(to: CellStore): CellStore {
  return {
    kind: to.kind,
    async read(key, call) {
      const reply = await to.read(key, call);
      return reply.cell ? { ...reply, cell: { ...reply.cell, ageMs: 0 } } : reply;
    },
    list: async (prefix, call) => (await to.list(prefix, call)).map((cell) => ({ ...cell, ageMs: 0 })),
    write: (key, value, expected, call) => to.write(key, value, expected, call),
    remove: (key, expected, call) => to.remove(key, expected, call),
    subscribe: (key, hint) => to.subscribe(key, hint),
    close: () => to.close(),
  };
}
