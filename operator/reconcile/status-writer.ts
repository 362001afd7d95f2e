/** Writes the status subresource of a custom resource, when it says something new. */
import { fieldManagers } from '../api/group.ts';
import type { ClusterClient, KubeObject, ResourceType } from '../cluster/cluster-client.ts';
import { hasCode } from '../cluster/cluster-client.ts';
import { fenced } from './apply.ts';
import type { Grant } from './reconciler.ts';
import type { CommonStatus } from './status.ts';
import { statusPatch } from './status.ts';

export type WithStatus = KubeObject & { status?: CommonStatus };

export class StatusWriter<T extends WithStatus> {
  readonly #client: ClusterClient;
  readonly #type: ResourceType;

  constructor(client: ClusterClient, type: ResourceType) {
    this.#client = client;
    this.#type = type;
  }

  /** The object as the API server holds it now; `undefined` when there was nothing new to say, or nobody to say it of. */
  async write(workload: T, next: CommonStatus, grant: Grant): Promise<T | undefined> {
    const patch = statusPatch(workload.status, next);
    if (!patch) return undefined;
    const { name, namespace = '' } = workload.metadata;
    const options = {
      ...fenced(grant),
      type: 'merge',
      subresource: 'status',
      fieldManager: fieldManagers.status,
    } as const;
    try {
      return await this.#client.patch<T>(this.#type, { name, namespace }, patch, options);
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }
}
