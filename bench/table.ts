/** What a benchmark tells, and how it reads on a terminal. */

export interface Row {
  readonly measure: string;
  readonly ours: string;
  /** The limit, or the peer that was measured in the same run. */
  readonly peer?: string;
  /** Ours ÷ peer. */
  readonly ratio?: number;
  /** The ratio that is not to be exceeded. */
  readonly goal?: number;
  /** The same for the original (k8-highlander), measured elsewhere and before: no part of the ratio. */
  readonly original?: string;
}

export interface Result {
  readonly rows: readonly Row[];
  /** What explains the rows; one line each. */
  readonly notes?: readonly string[];
}

const HEADER = ['measure', 'ours', 'peer or limit', 'ratio', 'goal', 'verdict', 'the original'];

export function renderTable(rows: readonly Row[]): string {
  const lines = [HEADER, ...rows.map(cells)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const render = (line: readonly string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const [header = '', ...body] = lines.map((line) => render(line).trimEnd());
  return [header, rule, ...body].join('\n');
}

function cells({ measure, ours, peer = '', ratio, goal, original = '' }: Row): readonly string[] {
  const shown = ratio === undefined ? '' : ratio.toFixed(2);
  return [measure, ours, peer, shown, goal === undefined ? '' : `≤ ${goal}`, verdict(ratio, goal), original];
}

function verdict(ratio: number | undefined, goal: number | undefined): string {
  if (ratio === undefined || goal === undefined) return '';
  return ratio <= goal ? 'PASS' : 'over';
}
