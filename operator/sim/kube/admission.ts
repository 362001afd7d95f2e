/** The policies of `highlander admission`, as an API server enforces them by its own clock, and refusals by others. */
import { PERMIT_POLICY, permitName, PROBE_LABEL } from '../../api/admission.ts';
import { annotations, labels } from '../../api/group.ts';
import { isPlausible } from '../../api/terms.ts';
import { ApiError } from '../../cluster/cluster-client.ts';
import type { Admission } from '../api/server.ts';
import type { Stored } from '../api/json.ts';

interface PermitPolicyOptions {
  readonly tenant: string;
  /** The permit as the policy sees it: a little later than it was written. */
  readonly permit: () => Stored | undefined;
  /** Milliseconds since the epoch by the API server's clock. */
  readonly time: () => number;
}

/** Refuses new pods of the tenant when there is no permit, or it has ended; and probes, always. */
export function permitPolicy({ tenant, permit, time }: PermitPolicyOptions): Admission {
  const deny = (why: string) => {
    const by = `ValidatingAdmissionPolicy '${PERMIT_POLICY}' with binding '${permitName(tenant)}'`;
    throw new ApiError(422, 'Invalid', `pods is forbidden: ${by} denied request: ${why}`);
  };
  return ({ type, before, object }) => {
    if (type.plural !== 'pods' || before || object?.metadata.labels?.[labels.tenant] !== tenant) return;
    const lease = permit();
    if (!lease) return deny('no params found');
    if (object.metadata.labels[PROBE_LABEL] === 'deny') return deny('a probe');
    const { renewTime, leaseDurationSeconds } = lease.spec ?? {};
    if (renewTime === undefined) return;
    const now = Math.floor(time() / 1000) * 1000;
    if (now > Date.parse(renewTime as string) + Number(leaseDurationSeconds) * 1000) deny('the permit has ended');
  };
}

const STAMPED: ReadonlySet<string> = new Set(['pods', 'deployments', 'statefulsets', 'cronjobs', 'jobs']);

/** Terms on objects never go back. */
/** And no term is far above the time in seconds, by which terms begin. */
export const termPolicy =
  (time: () => number): Admission =>
  ({ type, before, object, isStatus }) => {
    if (
      !before ||
      !object ||
      isStatus ||
      !STAMPED.has(type.plural) ||
      !(labels.tenant in (object.metadata.labels ?? {}))
    )
      return;
    if (termIn(object) < termIn(before) || !isPlausible(termIn(object), time() / 1000))
      throw new ApiError(
        422,
        'Invalid',
        `ValidatingAdmissionPolicy 'highlander-term' denied request: term ${termIn(object)} is over`,
      );
  };

/** The term on an object; 0 when it has none. */
export function termIn({ metadata }: Stored): number {
  const text = metadata.annotations?.[annotations.term] ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}
