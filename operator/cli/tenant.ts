/** Verbs by which people steer a tenant: hand-over, pause, and what only they can know. */
import { confirmStopped, handOver, pastTerms, pause } from '../admin/tenant.ts';
import { withStore } from '../app/store.ts';
import type { Config } from '../config/config.ts';
import type { CellStore } from '../lease/cell-store.ts';
import type { PastTerm } from '../leadership/history.ts';
import { exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verbs.ts';
import type { Streams } from './streams.ts';

/** `handover`, `pause`, `resume`, `history` and `confirm-stopped`. */
export const tenantVerbs: Readonly<Record<string, Verb>> = {
  handover: {
    usage: 'handover [--to IDENTITY | --to-cluster NAME] [--config FILE] [flags]',
    does: 'Transfers leadership and waits for the new leader. Within a cluster, workloads keep running.',
    act({ config, text }, streams) {
      const wish = { to: text('to'), toCluster: text('to-cluster') };
      if (wish.to !== undefined && wish.toCluster !== undefined)
        throw new UsageError('--to and --to-cluster are mutually exclusive');
      return done(inStore(config(), (store, own) => handOver(store, own, wish, lines(streams))));
    },
  },
  pause: {
    usage: 'pause [--config FILE] [flags]',
    does: 'Pauses a tenant: workloads keep running, and its controllers change nothing until it is resumed.',
    act: ({ config }, streams) => done(inStore(config(), (store, own) => pause(store, own, true, lines(streams)))),
  },
  resume: {
    usage: 'resume [--config FILE] [flags]',
    does: 'Resumes a paused tenant.',
    act: ({ config }, streams) => done(inStore(config(), (store, own) => pause(store, own, false, lines(streams)))),
  },
  history: {
    usage: 'history [-o json] [--config FILE] [flags]',
    does: 'Prints the last 50 terms: who was the leader, from when to when, and why the term ended.',
    act: async ({ config, output }, { out }) => {
      const terms = await inStore(config(), pastTerms);
      out(output === 'json' ? `${JSON.stringify(terms, undefined, 2)}\n` : tableOf(terms));
      return exitCodes.done;
    },
  },
  'confirm-stopped': {
    usage: 'confirm-stopped --cluster NAME|ID [--config FILE] [flags]',
    does: 'Confirms that no workload of the tenant runs in an unreachable cluster, so that another cluster may start them. Refused while that cluster leads or its controllers are alive; valid for the present lease only, for at most 10 minutes.',
    act: async ({ config, needed }, streams) => {
      const { name, id } = await inStore(config(), (store, own) =>
        confirmStopped(store, own, needed('cluster'), lines(streams)),
      );
      streams.out(`Confirmed: no workload of the tenant runs in cluster ${name} (${id})\n`);
      return exitCodes.done;
    },
  },
};

function inStore<T>(config: Config, work: (store: CellStore, config: Config) => Promise<T>): Promise<T> {
  return withStore(config, (store) => work(store, config));
}

function lines({ out }: Streams): (line: string) => void {
  return (line) => out(`${line}\n`);
}

async function done(work: Promise<boolean>): Promise<number> {
  return (await work) ? exitCodes.done : exitCodes.failed;
}

function tableOf(terms: readonly PastTerm[]): string {
  const rows = terms.map(({ term, holder, cluster, from, to = '', gapMs, reason = '' }) => {
    const gap = gapMs === undefined ? '' : `${(gapMs / 1000).toFixed(1)}s`;
    return [String(term), holder, cluster.name, from, to, gap, reason];
  });
  const all = [['TERM', 'HOLDER', 'CLUSTER', 'FROM', 'TO', 'GAP', 'END REASON'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return all.map((row) => `${line(row).trimEnd()}\n`).join('');
}
