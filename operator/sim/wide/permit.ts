/** The permit of a cluster, as the production code reads it. */
import { PermitLease } from '../../cluster/permit-lease.ts';
import type { Permit } from '../../leadership/permit.ts';
import { TENANT } from '../actor.ts';
import { SimClusterClient } from '../api/client.ts';
import type { SimApiServer } from '../api/server.ts';

/** Where controllers keep what is theirs. */
export const OWN_NAMESPACE = 'highlander';

/** The tenant's permit; undefined when there is none. */
export async function readPermit(server: SimApiServer): Promise<Permit | undefined> {
  const transport = {
    call: async <T>(serve: () => T) => serve(),
    stream: () => {
      throw new Error('nobody watches');
    },
  };
  const client = new SimClusterClient({ server, transport, by: 'checker' });
  const lease = new PermitLease({ client, namespace: OWN_NAMESPACE, tenant: TENANT, known: () => Infinity });
  return (await lease.read({}))?.permit;
}
