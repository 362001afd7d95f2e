/** The users of one cluster: what they want there; and others who may delete and edit what they please. */
import { CRON_JOB_KIND, cronJobResource } from '../../api/cronjob.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import type { SimApiServer } from '../api/server.ts';
import type { World } from '../world.ts';
import { deleteOne, editOne, removeOne, removePermit, spoilNotes, USER } from './harms.ts';
import { CRON, customResource, imageOf, KINDS } from './objects.ts';

interface Asked {
  readonly type: ResourceType;
  readonly object: ReturnType<typeof customResource>;
}

interface Place {
  readonly id: string;
  readonly graceMs: number;
}

/** What they do to their cluster's API server, by chance. */
export class Users {
  /** By name of a workload: the version. */
  readonly wanted = new Map<string, number>();
  /** Uids of what somebody has written nonsense on. */
  readonly spoilt = new Set<string | undefined>();
  readonly #asked = new Map<string, Asked>();
  readonly #world: World;
  readonly #server: SimApiServer;
  readonly #place: Place;

  constructor(world: World, server: SimApiServer, place: Place) {
    this.#world = world;
    this.#server = server;
    this.#place = place;
  }

  want(name: string, version: number): void {
    const { kind, type } = KINDS[name] ?? {};
    if (!kind || !type) return;
    this.wanted.set(name, version);
    // Every second version takes longer to end.
    const spec = { image: imageOf(version), terminationGracePeriod: this.#grace((version % 2) + 1) };
    this.#ask({ type, object: customResource(kind, name, spec) });
  }

  wantCron(catchUp: string): void {
    const spec = { schedule: '* * * * *', image: 'tick:1', catchUp, terminationGracePeriod: this.#grace(1) };
    this.#ask({ type: cronJobResource, object: customResource(CRON_JOB_KIND, CRON, spec) });
  }

  evict(): void {
    this.#say('deletes', deleteOne(this.#server, this.#world.chance));
  }

  /** Returns what brings back the custom resources. */
  remove(): () => void {
    this.#say('deletes', removeOne(this.#server, this.#world.chance));
    return () => {
      for (const asked of this.#asked.values()) this.#ask(asked);
    };
  }

  removePermit(): void {
    this.#say('deletes', removePermit(this.#server));
  }

  editNotes(): void {
    this.#say('sets', editOne(this.#server, this.#world.chance));
  }

  spoilNotes(): void {
    const spoilt = spoilNotes(this.#server, this.#world.chance);
    if (!spoilt) return;
    this.#say('spoils', `${spoilt.kind} ${spoilt.metadata.name}`);
    this.spoilt.add(spoilt.metadata.uid);
  }

  #ask(asked: Asked): void {
    const { type, object } = asked;
    this.#asked.set(object.metadata.name, asked);
    if (this.#server.get(type, object.metadata)) this.#server.patch(type, object.metadata, { spec: object.spec }, USER);
    else this.#server.create(type, object, USER);
  }

  #grace(parts: number): string {
    return `${Math.ceil(this.#place.graceMs / 1000 / parts)}s`;
  }

  #say(does: string, what: string | undefined): void {
    if (what !== undefined) this.#world.note('user', `${does} ${what} in ${this.#place.id}`);
  }
}
