/** Every regular expression of the product is linear: no text, however long or repeating, makes one stand still. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { analyse } from 'scslre';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

interface Found {
  readonly source: string;
  readonly flags: string;
}

function regexesOf(file: string): readonly Found[] {
  const found: Found[] = [];
  new Visitor({
    Literal(node) {
      if ('regex' in node) found.push({ source: node.regex.pattern, flags: node.regex.flags });
    },
  }).visit(parseSync(file, readFileSync(file, 'utf8')).program);
  return found;
}

/** By its form. This sees most slow ones, not those whose parts lie apart. */
function slowByForm({ source, flags }: Found): readonly string[] {
  const { reports } = analyse({ source, flags });
  return reports.map(({ type }) => type);
}

const SIZES = [2000, 16_000] as const;
/** Milliseconds; a linear one needs a tenth for the larger size. */
const NOTABLE_MS = 10;
/** Twice what the ratio of the sizes allows a linear one; a quadratic one has four times that. */
const RATIO = (2 * SIZES[1]) / SIZES[0];

/** Its own words and single characters, alone and in pairs. */
function pumpsFor(source: string): readonly string[] {
  const literal = source.replaceAll(/\\[a-zA-Z]|\[[^\]]*\]/g, ' ').replaceAll('\\', '');
  const words = literal.match(/[a-zA-Z]{2,}|[/:@=.,-]+/g) ?? [];
  const pieces = [...new Set([...words, ...'a0 -:./@="\'\n\\,(E'.split('')])];
  return pieces.flatMap((piece) => [piece, ...pieces.map((other) => piece + other)]);
}

/** Milliseconds of this thread's own time: others may keep the processor busy. */
function msOf({ source, flags }: Found, pump: string, size: number): number {
  const text = pump.repeat(size / pump.length);
  const { user } = process.threadCpuUsage();
  text.replace(new RegExp(source, flags), '');
  return (process.threadCpuUsage().user - user) / 1000;
}

function leastMsOf(...args: Parameters<typeof msOf>): number {
  return Math.min(msOf(...args), msOf(...args), msOf(...args));
}

/** By trial. */
function slowByTrial(found: Found): string | undefined {
  return pumpsFor(found.source).find((pump) => {
    if (msOf(found, pump, SIZES[1]) < NOTABLE_MS) return false;
    return leastMsOf(found, pump, SIZES[1]) > RATIO * leastMsOf(found, pump, SIZES[0]);
  });
}

function flaws(found: Found): readonly string[] {
  const pump = slowByTrial(found);
  const slow = [...slowByForm(found), ...(pump === undefined ? [] : [`with ${JSON.stringify(pump)} repeated`])];
  return slow.length === 0 ? [] : [`/${found.source}/${found.flags}: ${slow.join(', ')}`];
}

describe('regular expressions', () => {
  it.each([String.raw`(\/\/[^/?#\s:@]*:)[^\s@]*@`, String.raw`\s+$`, String.raw`eyJ[\w-]+\.`])(
    '/%s/ is found to be slow',
    (source) => {
      expect(flaws({ source, flags: 'g' })).not.toEqual([]);
    },
  );

  it('all of the product are linear', () => {
    const files = globSync('operator/**/*.ts', { cwd: ROOT }).filter(
      (name) => !/\.test\.ts$|\/testing\/|\/sim\//.test(name),
    );
    const found = files.flatMap((file) =>
      regexesOf(join(ROOT, file)).flatMap((each) => flaws(each).map((flaw) => `${file} ${flaw}`)),
    );
    expect(files.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  }, 60_000);
});
