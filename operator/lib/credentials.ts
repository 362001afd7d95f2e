/**
 * Masks what looks like a credential in any text, by its place: passwords in URLs, what stands behind `password=`,
 * private keys, bearer tokens, JWTs. Each step goes over the text once, whatever it holds: texts come from strangers.
 */

export const MASK = '***';

/** The text with everything masked that looks like a credential. */
export function maskCredentials(text: string): string {
  return [withoutPrivateKeys, withoutTokens, withoutNamedSecrets, withoutUrlPasswords].reduce(
    (masked, step) => step(masked),
    text,
  );
}

/** Does a field, a flag or a variable of this name hold a secret? */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/(?:file|path|name|ref|type)$/i.test(name);
}

const SECRET_NAME =
  /pass(?:word|wd|phrase)|pwd|token|secret|authorization|credential|api[-_]?key|(?:access|private|client)[-_]?key/i;

const KEY_BEGINS = '-----BEGIN ';
const KEY_ENDS = '-----END ';

/** From its first line to its last one, or to the end of a text that was cut. */
function withoutPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  const kept: string[] = [];
  let at = 0;
  while (at < text.length) {
    const begins = text.indexOf(KEY_BEGINS, at);
    if (begins < 0) break;
    const isPrivate = text.slice(begins, begins + 48).includes('PRIVATE KEY');
    const ends = text.indexOf(KEY_ENDS, begins);
    const line = ends < 0 ? -1 : text.indexOf('-----', ends + KEY_ENDS.length);
    const next = line < 0 ? text.length : line + 5;
    kept.push(text.slice(at, begins), isPrivate ? MASK : text.slice(begins, next));
    at = next;
  }
  return kept.join('') + text.slice(at);
}

/** A run of the JWT's letters is looked at from its beginning only, so that each is read once. */
function withoutTokens(text: string): string {
  return text
    .replace(/(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g, MASK)
    .replace(/\b(bearer|basic)(\s{1,8})[\w.~+/=-]{8,}/gi, `$1$2${MASK}`);
}

const NAMED =
  /(pass(?:word|wd|phrase)|pwd|token|secret|api[-_]?key|(?:secret[-_]?)?access[-_]?key|private[-_]?key|client[-_]?secret|authorization)(?![\w-])/gi;
/** `: ` after these words is prose too often: `invalid token: expired`. */
const ALSO_PROSE = /^(?:token|secret)$/i;

/** `password=x`, `"token": "x"` (also within a JSON text), `--password x`, `Authorization: Basic x`. */
function withoutNamedSecrets(text: string): string {
  const kept: string[] = [];
  let at = 0;
  for (const found of text.matchAll(NAMED)) {
    if (found.index < at) continue;
    const value = valueAfter(text, found.index + found[0].length, {
      flag: isFlag(text, found.index),
      word: found[0],
    });
    if (value === undefined) continue;
    kept.push(text.slice(at, value.from), MASK);
    at = value.to;
  }
  return kept.join('') + text.slice(at);
}

/** Do the letters before it begin with a dash, as those of `--db-password`? */
function isFlag(text: string, end: number): boolean {
  const before =
    text
      .slice(Math.max(0, end - 32), end)
      .split(/[^\w-]/)
      .at(-1) ?? '';
  return before.startsWith('-');
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Whitespace and backslashes that may stand around a separator; more is prose. */
const MAX_GAP = 8;

interface Named {
  /** Part of a flag such as `--db-password`. */
  readonly flag: boolean;
  readonly word: string;
}

function valueAfter(text: string, end: number, named: Named): Span | undefined {
  const closing = skip(text, end, '\\');
  const isQuoted = text[closing] === '"' || text[closing] === "'";
  const at = isQuoted ? skip(text, closing + 1, ' ') : skip(text, end, ' \t');
  if (!'=:'.includes(text[at] ?? ' ')) return named.flag && !isQuoted && at > end ? spanOf(text, at) : undefined;
  const isProse = !isQuoted && ALSO_PROSE.test(named.word) && /^:\s/.test(text.slice(at, at + 2));
  return isProse ? undefined : spanOf(text, skip(text, at + 1, ' \t'));
}

function spanOf(text: string, start: number): Span | undefined {
  const opening = skip(text, start, '\\');
  const quote = text[opening];
  if (quote === '"' || quote === "'") return quotedSpan(text, opening, opening - start);
  const word = wordEnd(text, start);
  const isScheme = /^(?:bearer|basic|digest)$/i.test(text.slice(start, Math.min(word, start + 8)));
  const to = isScheme ? wordEnd(text, skip(text, word, ' ')) : word;
  return to > start && text.slice(start, to) !== MASK ? { from: start, to } : undefined;
}

/** Up to the same quote behind as many backslashes, or to the end of a text that was cut. */
function quotedSpan(text: string, opening: number, backslashes: number): Span {
  const quote = text[opening] ?? '"';
  let escaped = 0;
  for (let at = opening + 1; at < text.length; at += 1) {
    if (text[at] === quote && escaped <= backslashes) return { from: opening + 1, to: at - escaped };
    escaped = text[at] === '\\' ? escaped + 1 : 0;
  }
  return { from: opening + 1, to: text.length };
}

function wordEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !' \t\r\n&;,"\'<>)}]'.includes(text[at] ?? '')) at += 1;
  return at;
}

function skip(text: string, from: number, characters: string): number {
  let at = from;
  while (at < text.length && at - from < MAX_GAP && characters.includes(text[at] ?? '')) at += 1;
  return at;
}

/** Between the first colon and the last `@` of each word: passwords are not always encoded as they should be. */
function withoutUrlPasswords(text: string): string {
  if (!text.includes('@')) return text;
  return text.replace(/[^\s"'<>]+/g, (word) => {
    const ends = word.lastIndexOf('@');
    // The digest of an image.
    if (ends < 0 || /^@sha\d{3}:/.test(word.slice(ends, ends + 8))) return word;
    const scheme = word.indexOf('//');
    const colon = word.indexOf(':', scheme < 0 || scheme > ends ? 0 : scheme);
    const isExample = word.slice(colon + 1, ends) === 'password';
    return colon < 0 || colon >= ends || isExample ? word : `${word.slice(0, colon + 1)}${MASK}${word.slice(ends)}`;
  });
}
