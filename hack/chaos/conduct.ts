/** A campaign for a person at a terminal: however it ends, the table shows what has been played. */
import type { CampaignOptions, Means, Place } from '../../e2e/support/chaos/campaign.ts';
import { Campaign } from '../../e2e/support/chaos/campaign.ts';
import { tableOf, violationsOf } from '../../e2e/support/chaos/table.ts';
import { messageOf } from '../../operator/lib/errors.ts';

const INTERRUPTED = 130;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Resolves to the exit code. The first signal ends it after the round that is played, the second one ends the process at once. */
export async function conduct<W extends Place>(
  options: Omit<CampaignOptions, 'stopping'>,
  means: Means<W>,
): Promise<number> {
  const { say } = options;
  const stopping = new AbortController();
  const campaign = new Campaign({ ...options, stopping: stopping.signal }, means);
  const interrupt = (name: NodeJS.Signals) => {
    if (stopping.signal.aborted) {
      report(campaign, say);
      process.exit(INTERRUPTED);
    }
    say(`${name}: ending after this round (repeat the signal to leave at once)`);
    stopping.abort();
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  let failed = false;
  try {
    await campaign.play();
  } catch (error) {
    failed = true;
    say(`error: ${messageOf(error)}`);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
  return report(campaign, say) || failed ? 1 : 0;
}

/** Whether something was that must never be. */
function report({ result }: Campaign<Place>, say: (line: string) => void): boolean {
  say(`\n${tableOf(result)}`);
  const violations = violationsOf(result);
  for (const violation of violations) say(`VIOLATION ${violation}`);
  return violations.length > 0;
}
