/** Verbs by which people steer a tenant: hand-over, pause, and what only they can know. */
import { confirmStopped, handOver, pause } from '../app/tenant.ts';
import type { Verb } from './verbs.ts';
import type { Streams } from './streams.ts';

const FAILED = 1;

export const tenantVerbs: Readonly<Record<string, Verb>> = {
  handover: {
    usage: 'handover [--to IDENTITY | --to-cluster NAME] [--config FILE] [flags]',
    does: 'Has the leader hand over, and waits until the next one leads; within its cluster nothing is restarted.',
    act: ({ config, text }, streams) =>
      done(handOver(config(), { to: text('to'), toCluster: text('to-cluster') }, lines(streams))),
  },
  pause: {
    usage: 'pause [--config FILE] [flags]',
    does: 'Lets everything run as it is: no controller of the tenant acts until it is resumed.',
    act: ({ config }, streams) => done(pause(config(), true, lines(streams))),
  },
  resume: {
    usage: 'resume [--config FILE] [flags]',
    does: 'Ends a pause.',
    act: ({ config }, streams) => done(pause(config(), false, lines(streams))),
  },
  'confirm-stopped': {
    usage: 'confirm-stopped --cluster NAME|ID [--config FILE] [flags]',
    does: 'Says for a cluster from which nothing is heard that nothing of the tenant runs there any more: another one may start it.',
    act: async ({ config, needed }, { out }) => {
      const { name, id } = await confirmStopped(config(), needed('cluster'));
      out(`Confirmed: nothing runs in cluster ${name} (${id})\n`);
      return 0;
    },
  },
};

function lines({ out }: Streams): (line: string) => void {
  return (line) => out(`${line}\n`);
}

async function done(work: Promise<boolean>): Promise<number> {
  return (await work) ? 0 : FAILED;
}
