/** A real API server that serves our kinds, in the namespace `shop`; nothing else of a cluster runs. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { GROUP, VERSION } from '../../api/group.ts';
import { customResources } from '../../api/kinds.ts';
import type { KubeObject, ResourceType } from '../../cluster/cluster-client.ts';
import { core, hasCode } from '../../cluster/cluster-client.ts';
import type { HttpClusterClient } from '../../cluster/http-client.ts';
import { ApiServer } from '../../lease/testing/api-server.ts';
import { clientOf } from '../../lease/testing/lease-store.ts';
import { systemClock } from '../../lib/clock.ts';

const CRDS = join(import.meta.dirname, '../../../crds');

const definitions: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const accounts: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

export class CrdServer implements AsyncDisposable {
  static readonly namespace = 'shop';
  static readonly types: readonly ResourceType[] = customResources.map((each) => ({
    ...each,
    group: GROUP,
    version: VERSION,
    namespaced: true,
  }));
  readonly client: HttpClusterClient;
  readonly #server: ApiServer;

  private constructor(server: ApiServer) {
    this.#server = server;
    const file = join(server.folder, 'kubeconfig');
    writeFileSync(file, server.kubeconfig('admin'));
    this.client = clientOf(file);
  }

  static async start(): Promise<CrdServer> {
    const made = new CrdServer(await ApiServer.start());
    try {
      await made.#prepare();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const { client } = this;
    const crds = readdirSync(CRDS).map((name) => parse(readFileSync(join(CRDS, name), 'utf8')) as KubeObject);
    for (const crd of crds) await client.create(definitions, crd);
    await client.create(core.namespaces, { metadata: { name: CrdServer.namespace } });
    // No controller makes it here, and no pod is admitted without.
    await client.create(accounts, { metadata: { name: 'default', namespace: CrdServer.namespace } });
    for (const type of CrdServer.types) await this.#served(type);
  }

  /** Established is not enough: the storage comes up after that. */
  async #served(type: ResourceType): Promise<void> {
    for (const end = performance.now() + 20_000; performance.now() < end; await systemClock.sleep(20)) {
      const answer = await this.client.list(type).catch((error: unknown) => error);
      if (!hasCode(answer, 404) && !hasCode(answer, 429)) return;
    }
    throw new Error(`${type.plural} are not served after 20 s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.#server[Symbol.asyncDispose]();
  }
}
