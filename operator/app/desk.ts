/** Hand-overs that are asked for over HTTP. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { LEAST_TOKEN } from '../config/api.ts';
import type { Config } from '../config/config.ts';
import type { LeadershipDesk } from '../http/leadership.ts';
import { NoHeir } from '../leadership/heir.ts';
import { Outdated, TenantDesk } from '../leadership/tenant-desk.ts';
import type { CellStore } from '../lease/cell-store.ts';
import { messageOf } from '../lib/errors.ts';

/** Takes hand-overs over HTTP and writes them where controllers look. */
export function httpDesk({ api, tenant, lease }: Config, store: CellStore): LeadershipDesk {
  const desk = new TenantDesk(store, tenant, { timeoutMs: lease.retryPeriodMs });
  return {
    // Read anew each time: a changed secret needs no restart.
    token: () => (api.tokenFile === undefined ? api.token : tokenIn(api.tokenFile)),
    async handOver({ expectedLeader, expectedTerm, candidate, candidateCluster }) {
      try {
        const wish = { to: candidate, toCluster: candidateCluster };
        const expected = { leader: expectedLeader, term: expectedTerm };
        const { leader, heir } = await desk.handOver(wish, 'HTTP API', expected);
        const { term } = leader.record;
        return { outcome: 'accepted', from: leader.identity, to: heir.identity, toCluster: heir.cluster.name, term };
      } catch (error) {
        const outcome = error instanceof Outdated ? 'outdated' : error instanceof NoHeir ? 'nobody' : 'unreachable';
        return { outcome, why: messageOf(error) };
      }
    },
  };
}

/** A file that holds more is no token, and is not read while others wait. */
const MOST_BYTES = 16_384;

/** Nothing when the file is gone or too short to be a secret: then nobody may ask. */
function tokenIn(path: string): string | undefined {
  try {
    const token = readAtOnce(path).trim();
    return token.length < LEAST_TOKEN ? undefined : token;
  } catch {
    return undefined;
  }
}

/** The whole process waits for it. Empty when it is no regular file, such as a pipe that nobody writes, or a long one. */
function readAtOnce(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(file);
    return found.isFile() && found.size <= MOST_BYTES ? readFileSync(file, 'utf8') : '';
  } finally {
    closeSync(file);
  }
}
