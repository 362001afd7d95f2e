/** Which server holds which key, as one Sentinel or node says. Pure. */
import { addressOf, parseAddress, type HostPort } from './redis-options.ts';

/** Which servers there are, and which of them holds a key. */
export interface Layout {
  /** All servers that hold keys, by identity: whoever names a server, it has the same. */
  readonly servers: ReadonlyMap<string, HostPort>;
  /** Identity of the server that holds the key; `undefined`: none does at present. */
  ownerOf(key: string): string | undefined;
}

/** Of `SENTINEL get-master-addr-by-name`; `undefined`: no master of that name is known. */
export function masterLayout(answer: unknown): Layout | undefined {
  if (!Array.isArray(answer)) return undefined;
  const at = { host: String(answer[0]), port: Number(answer[1]) };
  const owner = addressOf(at);
  return { servers: new Map([[owner, at]]), ownerOf: () => owner };
}

/**
 * Of `CLUSTER SLOTS`: `[first slot, last slot, [host, port, id, …] of the master, replicas …]` each. A node that does not
 * know a host leaves it out: it is the one by which the node was asked.
 */
export function clusterLayout(answer: unknown, asked: string): Layout {
  const servers = new Map<string, HostPort>();
  const ranges = arrayOf(answer).map((entry) => {
    const [from, to, master] = arrayOf(entry);
    const [host, port, id] = arrayOf(master);
    const owner = String(id);
    servers.set(owner, { host: typeof host === 'string' && host !== '' ? host : asked, port: Number(port) });
    return { from: Number(from), to: Number(to), owner };
  });
  return {
    servers,
    ownerOf(key) {
      const slot = slotOf(key);
      return ranges.find(({ from, to }) => from <= slot && slot <= to)?.owner;
    },
  };
}

/** The same servers, at the addresses at which they are reached from here: their own may be those of a network behind NAT. */
export function reachable(layout: Layout, natMap: Readonly<Record<string, string>> = {}): Layout {
  const outer = (at: HostPort): HostPort => {
    const mapped = natMap[addressOf(at)];
    if (mapped === undefined) return at;
    const { host, port } = parseAddress(mapped);
    return { host, port };
  };
  const servers = [...layout.servers].map(([id, at]) => [id, outer(at)] as const);
  return { ...layout, servers: new Map(servers) };
}

/** Of a key, or of what stands in its first braces: CRC-16 (XMODEM) modulo the number of slots. */
export function slotOf(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1];
  let crc = 0;
  for (const byte of Buffer.from(tag ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % 16_384;
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
