/** What pods of a namespace get by default: what the configuration says, and the restricted ones where its Pod Security label enforces those. */
import type { PodDefaults } from '../api/pod-defaults.ts';
import type { ClusterClient, KubeObject } from '../cluster/cluster-client.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';

const ENFORCED = 'pod-security.kubernetes.io/enforce';
const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
/** A label is seen so long after it changed; pods that run stay as they are. */
const FRESH_MS = 60_000;
const TIMEOUT_MS = 2000;

/** What the configuration says, and how namespaces are read. */
export interface NamespaceDefaultsOptions {
  readonly client: Pick<ClusterClient, 'get'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly podDefaults: PodDefaults;
}

interface Known {
  readonly defaults: PodDefaults;
  /** Monotonic, milliseconds. */
  readonly at: number;
}

/** Knows the defaults of namespaces, read now and then. */
export class NamespaceDefaults {
  readonly #options: NamespaceDefaultsOptions;
  readonly #known = new Map<string, Known>();
  readonly #reads = new Map<string, Promise<void>>();

  constructor(options: NamespaceDefaultsOptions) {
    this.#options = options;
  }

  /** As far as they are known: `load` comes first. */
  of(namespace: string): PodDefaults {
    return this.#known.get(namespace)?.defaults ?? this.#options.podDefaults;
  }

  /** Waits for the first read of a namespace only, and never fails: what is not known is not asked for. */
  async load(namespace: string): Promise<void> {
    const { clock, podDefaults } = this.#options;
    const known = this.#known.get(namespace);
    if (podDefaults === 'restricted' || (known && clock.monotonic() - known.at < FRESH_MS)) return;
    const read = this.#reads.get(namespace) ?? this.#read(namespace).finally(() => this.#reads.delete(namespace));
    this.#reads.set(namespace, read);
    if (!known) await read;
  }

  async #read(namespace: string): Promise<void> {
    const { client, clock, logger, podDefaults } = this.#options;
    let defaults = podDefaults;
    try {
      const found = await client.get<KubeObject>(NAMESPACES, { name: namespace }, { timeoutMs: TIMEOUT_MS });
      if (found?.metadata.labels?.[ENFORCED] === 'restricted') defaults = 'restricted';
    } catch (error) {
      // Without the right to read namespaces, the configuration says it for all of them.
      logger.debug('Failed to read the Pod Security label of a namespace', { namespace, error: messageOf(error) });
      defaults = this.of(namespace);
    }
    this.#known.set(namespace, { defaults, at: clock.monotonic() });
  }
}
