/**
 * What other clusters know of a process, where several share the tenant: read before its first pod in a term, written
 * whenever there is more to know. Within one cluster the status says as much.
 */
import type { WorkloadProcess } from '../../api/process.ts';
import type { ProcessLedger, ProcessPast } from '../../ledger/process-ledger.ts';
import { stableHash } from '../../reconcile/metadata.ts';
import type { Grant, ObjectKey } from '../../reconcile/reconciler.ts';
import type { Memory } from './decide.ts';

const STORE_MS = 2000;

/** Keeps the pasts of processes for the length of a term. */
export class Pasts {
  readonly #ledger: ProcessLedger;
  /** By workload: as last read or written in this term. */
  readonly #known = new Map<string, ProcessPast | undefined>();

  constructor(ledger: ProcessLedger) {
    this.#ledger = ledger;
  }

  /** A new term begins: others may have written since. */
  clear(): void {
    this.#known.clear();
  }

  /** Of this very spec; as far as it has been read in this term. */
  of({ metadata, spec }: WorkloadProcess): ProcessPast | undefined {
    const past = this.#known.get(idOf(metadata));
    return past?.spec === stableHash(spec) ? past : undefined;
  }

  async recall({ metadata }: WorkloadProcess, grant: Grant): Promise<void> {
    if (grant.scope === 'single') return;
    const { name, namespace = '' } = metadata;
    this.#known.set(idOf(metadata), await this.#ledger.read({ name, namespace }, callOf(grant)));
  }

  /** Resolves when others can know it too. */
  async remember(workload: WorkloadProcess, { restarts, completedGeneration }: Memory, grant: Grant): Promise<void> {
    if (grant.scope === 'single') return;
    const known = this.of(workload);
    const completed = completedGeneration !== undefined;
    if ((known?.restarts ?? 0) === restarts && (known?.completed ?? false) === completed) return;
    const past = { spec: stableHash(workload.spec), restarts, completed };
    await this.#write(workload.metadata, past, grant);
  }

  /** The workload is gone: one of its name is another one. */
  async forget(key: ObjectKey, grant: Grant): Promise<void> {
    if (grant.scope === 'multi') await this.#write(key, undefined, grant);
  }

  async #write(at: Named, past: ProcessPast | undefined, grant: Grant): Promise<void> {
    grant.assertHeld();
    await this.#ledger.write({ name: at.name, namespace: at.namespace ?? '' }, past, callOf(grant));
    if (past) this.#known.set(idOf(at), past);
    else this.#known.delete(idOf(at));
  }
}

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

function idOf({ namespace = '', name }: Named): string {
  return `${namespace}/${name}`;
}

function callOf({ signal }: Grant): { readonly timeoutMs: number; readonly signal: AbortSignal } {
  return { timeoutMs: STORE_MS, signal };
}
