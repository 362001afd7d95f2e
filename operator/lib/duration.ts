/** Durations as Go writes them: `300ms`, `1h30m`, `1.5s`. The seed's files use this form throughout. */

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds, with fractions where the text has them. Throws an Error that says what is wrong with `text`. */
export function parseDuration(text: string): number {
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return 0;
  if (/^[\d.]+$/.test(body)) throw new Error(`"${text}" has no unit: write "${text}s" for seconds`);
  const ms = sumOfParts(body);
  if (ms === undefined) throw new Error(`"${text}" is not a duration; examples: 300ms, 15s, 1h30m`);
  return negative ? -ms : ms;
}

function sumOfParts(body: string): number | undefined {
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    if (!part) return undefined;
    total += Number(part[1]) * (MS_PER_UNIT[part[2] ?? ''] ?? NaN);
  }
  return body === '' ? undefined : total;
}

/** Whole seconds, rounded up, of a duration or a number of seconds. Throws as `parseDuration` does. */
export function wholeSeconds(given: string | number): number {
  return /^\d+$/.test(String(given)) ? Number(given) : Math.ceil(parseDuration(String(given)) / 1000);
}
