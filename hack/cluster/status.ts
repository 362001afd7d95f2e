/** What is up in this checkout. */

import { clusterNames } from './down.ts';
import { deadParts } from './parts.ts';
import { kubeconfigPath } from './paths.ts';
import { readState } from './state.ts';

export function showStatus(): void {
  const names = clusterNames();
  if (names.length === 0) process.stdout.write('no cluster of this checkout is up\n');
  for (const name of names) process.stdout.write(`${describe(name)}\n`);
}

function describe(name: string): string {
  const state = readState(name);
  if (!state?.ready) return `${name}: half started (\`up\` starts it anew, \`down\` removes it)`;
  const dead = deadParts(name);
  const stopped = state.nodes.filter((node) => node.stopped).map((node) => node.name);
  const notes = [
    `${state.nodes.length} ${state.simulated ? 'simulated' : 'real'} node${state.nodes.length === 1 ? '' : 's'}`,
    ...(stopped.length > 0 ? [`stopped: ${stopped.join(', ')}`] : []),
    ...(dead.length > 0 ? [`ended by itself: ${dead.join(', ')}`] : []),
  ];
  return `${name}: ${state.server}, ${notes.join(', ')}\n  KUBECONFIG=${kubeconfigPath(name)}`;
}
