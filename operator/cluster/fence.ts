/**
 * Whether the API server refuses to start pods of a tenant whose permit has ended. Asked by dry runs: nothing is made,
 * and what they say is what a real create would meet.
 */
import { PERMIT_POLICY, PROBE_LABEL } from '../api/admission.ts';
import { labels } from '../api/group.ts';
import type { CallOptions, ClusterClient, KubeObject } from './cluster-client.ts';
import { ApiError, core } from './cluster-client.ts';

/** absent: no policy of ours refuses anything. */
export type FenceState = 'enforced' | 'absent';

/** Which tenant, and who hears of changes. */
export interface FenceOptions {
  readonly client: Pick<ClusterClient, 'create'>;
  readonly tenant: string;
  /** Where the probes would be made. */
  readonly namespace: string;
  readonly onChange: (state: FenceState) => void;
}

/** Knows whether permits are enforced, as of the last question. */
export class Fence {
  readonly #options: FenceOptions;
  /** As of the last question. */
  #state: FenceState | undefined;

  constructor(options: FenceOptions) {
    this.#options = options;
  }

  /** Throws when the API server does not answer. */
  async ask(call: CallOptions): Promise<FenceState> {
    const state = (await this.#isRefused({ [PROBE_LABEL]: 'deny' }, call)) ? 'enforced' : 'absent';
    if (state !== this.#state) this.#options.onChange(state);
    this.#state = state;
    return state;
  }

  /** Resolves when nothing more can start, as far as the API server enforces that; throws while something can. */
  async closed(call: CallOptions): Promise<void> {
    if ((await this.ask(call)) === 'absent' || (await this.#isRefused({}, call))) return;
    throw new Error('the API server has not observed yet that the permit has expired');
  }

  async #isRefused(own: Readonly<Record<string, string>>, call: CallOptions): Promise<boolean> {
    const { client, tenant, namespace } = this.#options;
    const probe = probeFor({ [labels.tenant]: tenant, ...own }, namespace);
    try {
      await client.create(core.pods, probe, { ...call, dryRun: true });
      return false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.message.includes(`'${PERMIT_POLICY}'`)) return true;
      // Quotas come after policies, rights before them: whoever refuses it, the policy did not.
      if (error.code === 403 || error.code === 422) return false;
      throw error;
    }
  }
}

/** Within the strictest of the pod security standards. */
function probeFor(own: Record<string, string>, namespace: string): KubeObject & { readonly spec: object } {
  const securityContext = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'highlander-probe', namespace, labels: own },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'none', resources: probeSize, securityContext }],
    },
  };
}

const probeSize = { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } };
