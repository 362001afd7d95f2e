/**
 * YAML as kubectl reads and writes it. The syntax is the library's, the meaning of scalars, keys, merges and aliases that of
 * kubectl: a later key of one name wins, a merge is done where it stands, and keys are texts.
 */
import type { Alias, Document, Node, Pair, Scalar, YAMLParseError } from 'yaml';
import {
  Document as NewDocument,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
} from 'yaml';
import { controlCharacter, misplacedTab, unfolded } from './yaml-layout.ts';
import { partsOf, placesIn, type YamlPart } from './yaml-parts.ts';
import { plainScalar, taggedScalar } from './yaml-scalar.ts';

type FieldPath = readonly (string | number)[];

/** Something in a text that kubectl would not read, or not as it is meant. */
export interface YamlFlaw {
  /** `line:column`. */
  readonly at: string;
  /** Finishes the sentence "file:line:column …"; may quote the file. */
  readonly what: string;
  /** Of the library; absent for what only kubectl does not read. */
  readonly code?: string;
}

/** One document of a YAML stream. */
export interface YamlDocument {
  /** Of plain maps, lists and scalars. Undefined for an empty document, and where there are errors. */
  readonly value: unknown;
  readonly errors: readonly YamlFlaw[];
  /** What is read, but hardly as it was meant: a key that is given twice. */
  readonly doubts: readonly YamlFlaw[];
  /** `line:column` of a value by its path; undefined when it is nowhere. */
  readonly locate: (path: FieldPath) => string | undefined;
}

/** The documents of a text; never throws, for what is wrong is in their `errors`. */
export function parseYaml(text: string): readonly YamlDocument[] {
  const places = placesIn(text);
  return partsOf(text).flatMap((part) => readPart(part, (offset) => places(part.begin + offset)));
}

type At = (offset: number) => string;
const TOO_DEEP = 'RESOURCE_EXHAUSTION';

/** None for a part of comments only. */
function readPart(part: YamlPart, at: At): readonly YamlDocument[] {
  const control = controlCharacter(part.text);
  const flaw = part.flaw ?? (control === undefined ? undefined : 'has a control character, which YAML does not allow');
  if (flaw !== undefined) return [unreadable({ at: at(control ?? 0), what: flaw })];
  const [document, more] = parsed(part.text.replaceAll(/\r(?!\n)/g, '\n'));
  if (!document) return [];
  const doubt = { at: at(document.range[2]), what: 'nothing behind a line "..." is read, unless a line "---" follows' };
  const read = readDocument(document, part, at);
  return [more ? { ...read, doubts: [...read.doubts, doubt] } : read];
}

function parsed(text: string): readonly Document.Parsed[] {
  const options = { prettyErrors: false, schema: 'failsafe', uniqueKeys: false, version: '1.1' } as const;
  const documents = [...parseAllDocuments(text, options)] as Document.Parsed[];
  if (!documents.some(hasFlaws)) return documents;
  const again = [...parseAllDocuments(unfolded(text), options)] as Document.Parsed[];
  return again.some(hasFlaws) ? documents : again;
}

function hasFlaws(document: Document.Parsed): boolean {
  return flawsOf(document).length > 0;
}

function flawsOf({ errors }: Document.Parsed): readonly YAMLParseError[] {
  const tooDeep = errors.find(({ code }) => code === TOO_DEEP);
  return tooDeep ? [tooDeep] : errors.filter(({ message }) => !message.startsWith('Comments must be separated'));
}

function unreadable(...errors: readonly YamlFlaw[]): YamlDocument {
  return { value: undefined, errors, doubts: [], locate: nowhere };
}

function readDocument(document: Document.Parsed, { text, isJson }: YamlPart, at: At): YamlDocument {
  const errors: YamlFlaw[] = flawsOf(document).map(({ code, pos, message }) => ({
    at: at(pos[0]),
    what: code === TOO_DEEP ? 'is nested too deeply' : message,
    code,
  }));
  if (errors.length > 0) return unreadable(...errors);
  if (document.contents === null) return unreadable();
  const tab = misplacedTab(text, document);
  if (tab !== undefined) return unreadable({ at: at(tab), what: 'has a tab where only spaces may stand' });
  try {
    const reader = new Reader(document, { at, text: isJson ? '' : text });
    const value = reader.read(document.contents);
    return {
      value: value ?? undefined,
      errors,
      doubts: reader.doubts,
      locate: (path) => reader.locate(value, path),
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return unreadable({ at: at(error.offset), what: error.message });
  }
}

const nowhere = (): undefined => undefined;

class Unreadable extends Error {
  readonly offset: number;

  constructor(node: Node | undefined | null, message: string) {
    super(message);
    this.offset = node?.range?.[0] ?? 0;
  }
}

type Container = Record<string, unknown> | unknown[];

/** Aliases may multiply a small file into a huge one. */
const MAX_NODES = 1_000_000;

class Reader {
  readonly doubts: YamlFlaw[] = [];
  readonly #targets: ReadonlyMap<Alias, Node>;
  readonly #at: At;
  /** Empty for JSON, which has its own rules for quoted texts. */
  readonly #text: string;
  readonly #root: number;
  readonly #places = new WeakMap<Container, Map<string, number>>();
  /** Nodes that are being read: an alias to one of them would never end. */
  readonly #open = new Set<Node>();
  #count = 0;

  constructor(document: Document.Parsed, { at, text }: { readonly at: At; readonly text: string }) {
    this.#targets = targetsOf(document);
    this.#at = at;
    this.#text = text;
    this.#root = document.contents?.range?.[0] ?? 0;
  }

  read(node: unknown): unknown {
    if (!isNode(node)) return null;
    if (++this.#count > MAX_NODES) throw new Unreadable(node, 'is too large once its aliases are resolved');
    if (isAlias(node)) return this.read(this.#target(node));
    if (isScalar(node)) return scalarOf(node, this.#text);
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node.items) : isSeq(node) ? this.#list(node.items) : null;
    this.#open.delete(node);
    return value;
  }

  locate(value: unknown, path: FieldPath): string | undefined {
    let place: number | undefined = this.#root;
    let inner = value;
    for (const step of path) {
      if (typeof inner !== 'object' || inner === null) return undefined;
      place = this.#places.get(inner as Container)?.get(String(step));
      if (place === undefined) return undefined;
      inner = (inner as Record<string, unknown>)[String(step)];
    }
    return this.#at(place);
  }

  #target(alias: Alias): Node {
    const target = this.#targets.get(alias);
    if (!target) throw new Unreadable(alias, `there is no anchor "${alias.source}" above`);
    if (this.#open.has(target)) throw new Unreadable(alias, `anchor "${alias.source}" contains itself`);
    return target;
  }

  #list(items: readonly unknown[]): unknown[] {
    const places = new Map<string, number>();
    // A pair in a list, `[a: 1]`, is a map of its own.
    const list = items.map((item, index) => {
      places.set(String(index), placeOf(item));
      return isPair(item) ? this.#map([item]) : this.read(item);
    });
    this.#places.set(list, places);
    return list;
  }

  #map(items: readonly Pair[]): Record<string, unknown> {
    const places = new Map<string, number>();
    const own = new Set<string>();
    const map: Record<string, unknown> = {};
    for (const { key, value } of items) {
      if (isScalar(key) && key.type === 'PLAIN' && key.value === '<<') {
        this.#merge(value, { map, places });
        continue;
      }
      const name = this.#key(key);
      if (own.has(name))
        this.doubts.push({ at: this.#at(placeOf(key)), what: `"${name}" is specified twice: the later value is used` });
      own.add(name);
      put(map, name, this.read(value));
      places.set(name, value === null ? placeOf(key) : placeOf(value));
    }
    this.#places.set(map, places);
    return map;
  }

  #merge(value: unknown, into: { readonly map: Record<string, unknown>; readonly places: Map<string, number> }): void {
    // Of several maps the first one wins.
    const sources = isSeq(value) ? [...value.items].toReversed() : [value];
    for (const source of sources) {
      const map = this.read(source);
      if (typeof map !== 'object' || map === null || Array.isArray(map))
        throw new Unreadable(isNode(value) ? value : null, 'a merge (<<) needs a map, or a list of maps');
      for (const [name, inner] of Object.entries(map)) {
        put(into.map, name, inner);
        into.places.set(name, this.#places.get(map as Container)?.get(name) ?? placeOf(source));
      }
    }
  }

  #key(key: unknown): string {
    const value = this.read(key);
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return String(value);
    throw new Unreadable(isNode(key) ? key : null, 'is not a valid key: keys are strings, numbers or booleans');
  }
}

/** What each alias stands for: the last node above with its anchor. */
function targetsOf(document: Document.Parsed): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(nameOf(node, node.anchor), node);
        return;
      }
      const target = anchors.get(node.source);
      if (target) targets.set(node, target);
    },
  });
  return targets;
}

function nameOf(node: Node, anchor: string): string {
  if (/^[\w-]+$/.test(anchor)) return anchor;
  throw new Unreadable(node, `the anchor "${anchor}" may only have letters, digits, - and _`);
}

/** Also a key such as `__proto__`. */
function put(map: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
}

function placeOf(node: unknown): number {
  const first = isPair(node) ? node.key : node;
  return isNode(first) ? (first.range?.[0] ?? 0) : 0;
}

const OWN_TAG = 'tag:yaml.org,2002:';

/** In YAML `\/` is none, and a pair of halves, of which JSON makes one character, is not read. */
function hasUnknownEscape(written: string): boolean {
  const escapes = [...written.matchAll(/\\(.)([dD][89a-fA-F])?/gs)];
  return escapes.some(([, sign, half]) => sign === '/' || (sign === 'u' && half !== undefined));
}

function scalarOf(node: Scalar, source: string): unknown {
  const written = node.type === 'QUOTE_DOUBLE' && node.range ? source.slice(node.range[0], node.range[1]) : '';
  if (hasUnknownEscape(written))
    throw new Unreadable(node, 'has an escape that kubectl does not read: \\/, or half of a pair such as \\ud83d');
  const text = typeof node.value === 'string' ? node.value : String(node.source ?? '');
  const { tag = '' } = node;
  if (tag.startsWith(OWN_TAG)) return ownTag(node, tag.slice(OWN_TAG.length), text);
  if (tag !== '' || node.type !== 'PLAIN') return text;
  return finite(node, plainScalar(text));
}

function ownTag(node: Scalar, tag: string, text: string): unknown {
  const read = taggedScalar(tag, text);
  if (!read) throw new Unreadable(node, `the value is not of the type !!${tag}`);
  return finite(node, read.value);
}

function finite(node: Scalar, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new Unreadable(node, 'is not a number that JSON can represent');
}

/** Texts that kubectl would take for something else are quoted. */
export function stringifyYaml(value: unknown): string {
  const document = new NewDocument(value, { version: '1.1' });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && plainScalar(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
