/** The few ASN.1 forms (DER) that a certificate consists of. */

export type Der = Buffer;

function tagged(tag: number, ...contents: readonly Uint8Array[]): Der {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

export const sequence = (...items: Der[]): Der => tagged(0x30, ...items);
export const set = (...items: Der[]): Der => tagged(0x31, ...items);
export const octets = (content: Uint8Array): Der => tagged(0x04, content);
export const bits = (content: Uint8Array, unused = 0): Der => tagged(0x03, Buffer.from([unused]), content);
export const text = (value: string): Der => tagged(0x0c, Buffer.from(value));
export const TRUE: Der = tagged(0x01, Buffer.from([0xff]));
/** A field that is marked by its number instead of its type; `constructed` if it holds other forms. */
export const context = (number: number, content: Uint8Array, constructed: boolean): Der =>
  tagged((constructed ? 0xa0 : 0x80) | number, content);

/** A positive integer: a leading zero keeps the first bit from meaning minus. */
export function integer(value: Uint8Array): Der {
  return tagged(0x02, (value[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
}

export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

export function time(date: Date): Der {
  return tagged(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
}
