/** What Go's yaml.v2 and the library do not agree upon before any value is read: tabs, indentation, control characters. Pure. */
import type { Document } from 'yaml';
import { isCollection, isScalar, visit } from 'yaml';

/** What yaml.v2 takes nowhere in a file, but for a byte order mark at its beginning. */
const CONTROL = /(?!^\ufeff)[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** Offset of the first character that may not be there; `undefined`: none. */
export function controlCharacter(text: string): number | undefined {
  return CONTROL.exec(text)?.index;
}

/** Offset of the first line without a word that has a tab, where only spaces may stand; `undefined`: none. */
export function misplacedTab(text: string, document: Document.Parsed): number | undefined {
  const lines = [...text.matchAll(/^ *\t\s*?(#.*)?$/gm)].map(({ index }) => index);
  if (lines.length === 0) return undefined;
  const inside: (readonly [begin: number, end: number])[] = [];
  visit(document, {
    Node: (_key, node) => {
      if (node.range && (isScalar(node) || (isCollection(node) && node.flow === true)))
        inside.push([node.range[0], node.range[1]]);
    },
  });
  return lines.find((line) => !inside.some(([begin, end]) => begin <= line && line < end));
}

/**
 * The same text, as long as it was, with each `{…}` and `[…]` in one line, and no tab before continued quoted texts: in
 * these, indentation means nothing to kubectl.
 */
export function unfolded(text: string): string {
  return new Unfolder(text).run();
}

class Unfolder {
  readonly #text: string;
  readonly #signs: string[];
  #at = 0;
  #depth = 0;
  /** A value may begin here: brackets and quotes within a plain text are part of it. */
  #isFresh = true;

  constructor(text: string) {
    this.#text = text;
    this.#signs = text.split('');
  }

  run(): string {
    while (this.#at < this.#text.length) this.#step();
    return this.#signs.join('');
  }

  #step(): void {
    const sign = this.#text[this.#at] ?? '';
    if (/\s/.test(sign)) this.#space(sign);
    else if (sign === '#' && /\s|^$/.test(this.#text[this.#at - 1] ?? '')) this.#comment();
    else if (this.#isFresh) this.#first(sign);
    else if (this.#depth > 0) this.#flow(sign);
    else this.#plain(sign);
  }

  #first(sign: string): void {
    if (/["']/.test(sign)) this.#quoted(sign);
    else if (/[|>]/.test(sign) && this.#depth === 0) this.#block();
    else if (this.#depth > 0 || /[[{]/.test(sign)) this.#flow(sign);
    else this.#plain(sign);
  }

  #space(sign: string): void {
    if (/[\r\n]/.test(sign)) this.#lineEnd();
    else this.#signs[this.#at++] = this.#depth > 0 ? ' ' : sign;
  }

  #lineEnd(): void {
    if (this.#depth > 0) this.#signs[this.#at] = ' ';
    else this.#isFresh = true;
    this.#at++;
  }

  #comment(): void {
    for (; this.#at < this.#text.length && this.#text[this.#at] !== '\n'; this.#at++)
      if (this.#depth > 0) this.#signs[this.#at] = ' ';
  }

  #flow(sign: string): void {
    const bracket = '[{'.includes(sign) ? 1 : ']}'.includes(sign) ? -1 : 0;
    this.#depth += bracket;
    if (bracket === 0 && sign !== ',') return this.#plain(sign);
    this.#isFresh = bracket >= 0;
    this.#at++;
  }

  /** After tags and anchors a value may still begin. */
  #plain(sign: string): void {
    const isMark = this.#isFresh && /[&!]/.test(sign);
    if (isMark) while (/\S/.test(this.#text[this.#at + 1] ?? ' ')) this.#at++;
    const isIndicator = /[:?-]/.test(sign) && /\s/.test(this.#text[this.#at + 1] ?? ' ');
    this.#isFresh = isMark || isIndicator;
    this.#at++;
  }

  #quoted(quote: string): void {
    for (this.#at++; this.#at < this.#text.length && this.#text[this.#at] !== quote; this.#at++) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#at++;
      else if (this.#text[this.#at] === '\t' && /\n[ \t]*$/.test(this.#text.slice(this.#lineBegin() - 1, this.#at)))
        this.#signs[this.#at] = ' ';
    }
    this.#at++;
    this.#isFresh = false;
  }

  /** All lines below that are indented deeper than the one in which the text is announced. */
  #block(): void {
    const indent = / */.exec(this.#text.slice(this.#lineBegin()))?.[0].length ?? 0;
    do {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end + 1;
    } while (this.#at < this.#text.length && this.#isBelow(indent));
    this.#isFresh = true;
  }

  #isBelow(indent: number): boolean {
    const [, spaces = '', first] = /^( *)([^\n]?)/.exec(this.#text.slice(this.#at, this.#at + 1000)) ?? [];
    return first === '' || first === '\r' || spaces.length > indent;
  }

  #lineBegin(): number {
    return this.#text.lastIndexOf('\n', this.#at - 1) + 1;
  }
}
