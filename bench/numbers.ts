/** Order statistics, and numbers as people read them. */

/** Nearest rank: a value that was measured, never one in between. `part` 0.5 is the median. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function ms(value: number): string {
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 100 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

export function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** Minimum, median and maximum, to show how far single runs are apart. */
export function spread(values: readonly number[], show: (value: number) => string): string {
  return [Math.min(...values), median(values), Math.max(...values)].map(show).join(' / ');
}
