/** `highlander diff`: what applying workloads would change in the cluster. */
import { stringify } from 'yaml';
import { diff as diffOf } from '../admin/diff.ts';
import { connectTo } from '../app/client.ts';
import type { Config } from '../config/config.ts';
import { messageOf } from '../lib/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { readSources } from './documents.ts';
import type { Streams } from './streams.ts';
import { checkSources } from './workloads.ts';

/** As `kubectl diff`: 0 no difference, 1 some, more than 1: it could not be told. */
export async function diff(paths: readonly string[], config: Config, { out, err }: Streams): Promise<number> {
  const { workloads, findings } = checkSources(readSources(paths));
  for (const { at, what } of findings) err(`${at}: ${what}\n`);
  if (findings.length > 0) return exitCodes.wrongInput;
  const wanted = workloads.map(({ metadata: { labels, ...metadata }, ...rest }) => {
    return { ...rest, metadata: { ...metadata, labels: { ...labels } } };
  });
  const print = (object: unknown) => stringify(object, { sortMapEntries: true, lineWidth: 0 });
  try {
    await using ended = new AsyncDisposableStack();
    const { client } = connectTo(config, 'diff');
    ended.defer(() => client.close());
    const changes = await diffOf(client, wanted, { config, print });
    out(changes);
    return changes === '' ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    err(`highlander: ${messageOf(error)}\n`);
    return exitCodes.wrongInput;
  }
}
