/** Where the documents of a file begin and end, as kubectl cuts it before it reads any of them. Pure. */

export interface YamlPart {
  readonly text: string;
  /** Offset in the file. */
  readonly begin: number;
  /** A JSON object; otherwise YAML. */
  readonly isJson?: true;
  /** Finishes the sentence "file:line:column …"; the part cannot be read then. */
  readonly flaw?: string;
}

/**
 * A file that begins like JSON is JSON, whose objects need nothing between them, for as long as that goes well; after one object
 * YAML may follow. YAML is cut at lines that begin with `---`.
 */
export function partsOf(file: string): readonly YamlPart[] {
  const objects = jsonObjectsOf(file);
  const end = objects.reduce((at, { begin, text }) => begin + text.length, 0);
  const rest = file.slice(end);
  if (objects.length > 0 && rest.trim() === '') return objects;
  if (objects.length > 1)
    return [...objects, { text: rest, begin: end, flaw: 'is no JSON, which what stands above it is' }];
  const line = /^\s*?\n/.exec(rest)?.[0].length ?? 0;
  return [...objects, ...yamlPartsOf(rest.slice(objects.length > 0 ? line : 0), end + (objects.length > 0 ? line : 0))];
}

function yamlPartsOf(text: string, offset: number): readonly YamlPart[] {
  const separators = [...text.matchAll(/^---(.*)$\n?/gm)];
  const cuts = [{ index: 0, 0: '', 1: '' }, ...separators];
  return cuts.map((separator, number) => {
    const begin = separator.index + separator[0].length;
    const part = { text: text.slice(begin, cuts[number + 1]?.index), begin: offset + begin };
    const flaw = flawOf(part.text, (separator[1] ?? '').trim());
    return flaw === undefined ? part : { ...part, flaw };
  });
}

/** `behind`: what stands in the line of the separator. */
function flawOf(text: string, behind: string): string | undefined {
  if (behind !== '' && !behind.startsWith('#')) return 'only a comment may stand behind "---" in the line above';
  const isMarked = /^(?:[ \t]*(?:#[^\n]*)?\n)*(?:%|\.\.\.(?:\s|$))/.test(text);
  return isMarked
    ? 'kubectl reads neither directives (%) nor the end (...) of a document that is not there'
    : undefined;
}

function jsonObjectsOf(file: string): readonly YamlPart[] {
  const objects: YamlPart[] = [];
  for (
    let at = 0;
    file
      .slice(at, at + 4096)
      .trimStart()
      .startsWith('{');
  ) {
    const begin = file.indexOf('{', at);
    at = endOfObject(file, begin);
    const text = file.slice(begin, at);
    if (!isJson(text)) break;
    objects.push({ text, begin, isJson: true });
  }
  return objects;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Braces in quoted texts do not count. */
function endOfObject(text: string, begin: number): number {
  let depth = 0;
  let isQuoted = false;
  for (let at = begin; at < text.length; at++) {
    const sign = text[at];
    if (isQuoted && sign === '\\') at++;
    else if (sign === '"') isQuoted = !isQuoted;
    else if (!isQuoted && sign === '{') depth++;
    else if (!isQuoted && sign === '}' && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Where a line of the file begins and what stands at an offset, as `line:column`. */
export function placesIn(file: string): (offset: number) => string {
  const begins = [0, ...[...file.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (offset) => {
    let [low, high] = [0, begins.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((begins[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return `${low + 1}:${offset - (begins[low] ?? 0) + 1}`;
  };
}
