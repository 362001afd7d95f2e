/** One way out for every text that people may read: without the secrets that were configured, wherever they stand. */
import { MASK, maskCredentials } from './credentials.ts';

/** A text without secrets. Linear in its length. */
export type Redact = (text: string) => string;

/** Shorter ones would be found in the middle of ordinary words; they are masked by their place only. */
const SHORTEST = 4;
/** Characters. What is longer is cut before it is searched: no text is worth more. */
const LONGEST_TEXT = 65_536;

/** Masks each of `secrets` in every form in which it may be written, and whatever looks like a credential. */
export function newRedactor(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  const longest = forms[0]?.length ?? 0;
  return (text) => {
    const isCut = text.length > LONGEST_TEXT;
    const whole = isCut ? text.slice(0, LONGEST_TEXT) : text;
    const masked = withoutHead(
      forms.reduce((left, form) => left.replaceAll(form, MASK), whole),
      forms,
    );
    // The cut may have left the beginning of a secret at the end.
    return maskCredentials(isCut ? `${masked.slice(0, Math.max(0, masked.length - longest))}…` : masked);
  };
}

const CUT = '…';

/** Where somebody has cut a text already, a secret may have been cut in two. */
function withoutHead(text: string, forms: readonly string[]): string {
  if (!text.endsWith(CUT)) return text;
  const body = text.slice(0, -CUT.length);
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, body.length); length >= SHORTEST; length--) {
      if (body.endsWith(form.slice(0, length))) return `${body.slice(0, -length)}${MASK}${CUT}`;
    }
  }
  return text;
}

/** At most `most` characters, the last of them `…` when something was left out; no character is cut in two. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

function formsOf(secret: string): readonly string[] {
  const plain = secret.trim();
  if (plain.length < SHORTEST) return [];
  const escaped = JSON.stringify(plain).slice(1, -1);
  const base64 = Buffer.from(plain).toString('base64');
  return [
    plain,
    ...plain.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith('-----')),
    encoded(plain),
    encodeURI(wellFormed(plain)),
    new URLSearchParams({ a: plain }).toString().slice(2),
    escaped,
    JSON.stringify(escaped).slice(1, -1),
    base64,
    base64.replace(/={1,2}$/, ''),
    Buffer.from(plain).toString('base64url'),
  ].filter((form) => form.length >= SHORTEST);
}

function encoded(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}
