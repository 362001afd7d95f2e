/** What a cluster consists of, written after every step, so that `down` finds all of it even if `up` was ended half-way. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clusterFolder, runFolder } from './paths.ts';
import type { ProcessRecord } from './processes.ts';

export interface NodeState {
  readonly name: string;
  /** Address on the clusters' bridge; loopback without namespaces. */
  readonly address: string;
  /** Network namespace; missing for a simulated node. */
  readonly namespace?: string;
  /** Stopped on purpose: `up` leaves it alone. */
  readonly stopped?: boolean;
}

export interface ClusterState {
  readonly version: 1;
  readonly name: string;
  /** 1…15, unique among the clusters of a checkout: addresses follow from it. */
  readonly number: number;
  /** Real nodes run pods; simulated nodes only say so. */
  readonly nodes: readonly NodeState[];
  readonly simulated: boolean;
  /** The checkout's subnet; missing where servers run on loopback. */
  readonly slot?: number;
  readonly server: string;
  readonly address: string;
  /** Network namespace of the control plane; missing where servers run on loopback. */
  readonly namespace?: string;
  /** Host's end of the cluster's cable to the bridge. */
  readonly link?: string;
  /** False while `up` is at work: such a cluster is torn down before it is started again. */
  readonly ready: boolean;
  readonly processes: Readonly<Record<string, ProcessRecord>>;
}

export function stateFile(name: string): string {
  return join(clusterFolder(name), 'state.json');
}

export function readState(name: string): ClusterState | undefined {
  if (!existsSync(stateFile(name))) return undefined;
  const state = JSON.parse(readFileSync(stateFile(name), 'utf8')) as ClusterState;
  if (state.version !== 1)
    throw new Error(`${stateFile(name)} was written by another version: end what it lists and remove it`);
  return state;
}

export function writeState(state: ClusterState): ClusterState {
  writeFileAtomic(stateFile(state.name), `${JSON.stringify(state, undefined, 2)}\n`);
  return state;
}

/** Applies a change to what is on disk now, not to a copy that another step may have overtaken. */
export function updateState(name: string, change: (state: ClusterState) => Partial<ClusterState>): ClusterState {
  const state = readState(name);
  if (!state) throw new Error(`cluster ${name} is not up: start it with \`make cluster\``);
  return writeState({ ...state, ...change(state) });
}

export function recordProcess(name: string, key: string, process: ProcessRecord): ProcessRecord {
  updateState(name, (state) => ({ processes: { ...state.processes, [key]: process } }));
  return process;
}

export function listStates(): ClusterState[] {
  const folder = join(runFolder(), 'clusters');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map(readState)
    .filter((state) => state !== undefined);
}

export function writeFileAtomic(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}
