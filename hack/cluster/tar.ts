/** A reproducible tar archive (ustar): no times, no owners, files in the given order. */

export interface TarEntry {
  /** Relative, without a leading slash. */
  readonly path: string;
  readonly mode?: number;
  /** Exactly one of these; none of them makes an empty file. */
  readonly content?: Buffer | string;
  readonly linkTo?: string;
  readonly folder?: true;
}

const BLOCK = 512;

export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(entry.folder ? `${entry.path}/` : entry.path);
  const text = (value: string, offset: number, length: number): void => {
    if (Buffer.byteLength(value) > length) throw new Error(`too long for a tar header: ${value}`);
    block.write(value, offset);
  };
  const octal = (value: number, offset: number, length: number): void =>
    text(value.toString(8).padStart(length - 1, '0'), offset, length);
  text(name, 0, 100);
  octal(entry.mode ?? (entry.folder ? 0o755 : 0o644), 100, 8);
  octal(0, 108, 8); // user
  octal(0, 116, 8); // group
  octal(size, 124, 12);
  octal(0, 136, 12); // time
  block.fill(' ', 148, 156); // the checksum counts its own field as blanks
  text(entry.folder ? '5' : entry.linkTo === undefined ? '0' : '2', 156, 1);
  text(entry.linkTo ?? '', 157, 100);
  text('ustar\x0000', 257, 8);
  text(prefix, 345, 155);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return block;
}

/** Paths longer than the name field are split at a slash. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  if (slash < 0) throw new Error(`too long for a tar header: ${path}`);
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}
