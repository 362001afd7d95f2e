/** What refuses writes: rights that are missing, webhooks, quotas, and servers that have too much to do. */
import { childTypes } from '../../api/children.ts';
import { cronJobResource } from '../../api/cronjob.ts';
import type { ResourceType } from '../../cluster/cluster-client.ts';
import { ApiError, core } from '../../cluster/cluster-client.ts';
import type { Admission, Request, SimApiServer } from '../api/server.ts';
import type { Chance } from '../chance.ts';
import { KUBERNETES } from '../kube/loop.ts';
import { USER } from './harms.ts';
import type { World } from '../world.ts';
import { CRON, KINDS } from './objects.ts';

type Answer = readonly [code: number, reason: string, message: string];

const FORBIDDEN: Answer = [403, 'Forbidden', 'is forbidden: the account may not do that'];
const INVALID: Answer = [422, 'Invalid', 'is invalid: a webhook refused it'];
const BROKEN: Answer = [500, 'InternalError', 'Internal error occurred: failed calling webhook'];
const BUSY: Answer = [429, 'TooManyRequests', 'too many requests'];
const CHANGED: Answer = [409, 'Conflict', 'the object has been modified'];
const QUOTA: Answer = [
  403,
  'Forbidden',
  'is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9',
];
const REFUSALS = [FORBIDDEN, INVALID, BROKEN, BUSY];

type Verb = 'create' | 'update' | 'delete' | 'update the status of';

/** Some writes that are refused, all of them. */
interface Refusal {
  readonly what: string;
  /** What cannot be stopped without these writes: a workload; or all of them, as nothing can be noted either. */
  readonly hinders?: string;
  readonly admission: Admission;
}

const ALL = 'all';
const { pods, services, deployments, statefulSets, cronJobs, jobs } = childTypes;
/** By plural: the workload that is stopped by a write on that kind. */
const STOPS: Readonly<Record<string, string>> = {
  pods: 'x',
  deployments: 'y',
  statefulsets: 'z',
  cronjobs: CRON,
  jobs: CRON,
  leases: ALL,
};
const REFUSED: Readonly<Record<Verb, readonly ResourceType[]>> = {
  create: [pods, pods, services, deployments, statefulSets, jobs, core.leases, core.events],
  update: [pods, deployments, statefulSets, cronJobs, jobs, core.leases],
  delete: [pods, jobs],
  'update the status of': [...Object.values(KINDS).map(({ type }) => type), cronJobResource],
};

/** Refuses single writes of controllers, each with that probability. */
function refusals(chance: Chance, probability: number): Admission {
  return ({ by }) => {
    if (isByController(by) && chance.hits(probability)) throw errorOf(chance.pick(REFUSALS));
  };
}

/** One verb on one kind. A quota on pods is one for Kubernetes' own controllers, too. */
function refusal(chance: Chance): Refusal {
  const verb = chance.pick(Object.keys(REFUSED) as Verb[]);
  const type = chance.pick(REFUSED[verb]);
  const isQuota = verb === 'create' && type === pods && chance.hits(0.5);
  const answer = isQuota ? QUOTA : chance.pick(verb.startsWith('update') ? [...REFUSALS, CHANGED] : REFUSALS);
  return {
    what: `${verb} ${type.plural}: ${answer[0]}`,
    ...hindering(verb, type),
    admission: (request) => {
      const isMeant = isByController(request.by) || (isQuota && request.by === KUBERNETES.by);
      if (isMeant && request.type.plural === type.plural && verbOf(request) === verb) throw errorOf(answer);
    },
  };
}

function hindering(verb: Verb, { plural }: ResourceType): Pick<Refusal, 'hinders'> {
  const workload = STOPS[plural];
  const isNeeded = verb === 'create' ? workload === ALL : verb === 'update' || (verb === 'delete' && workload === 'x');
  return isNeeded && workload !== undefined ? { hinders: workload } : {};
}

/** What one API server refuses now. */
export class Refusing {
  readonly #now = new Set<Refusal>();
  /** By what was hindered: the true time at which that ended last. */
  readonly #until = new Map<string, number>();
  readonly #world: World;
  readonly #server: SimApiServer;
  readonly #where: string;

  constructor(world: World, server: SimApiServer, where: string) {
    this.#world = world;
    this.#server = server;
    this.#where = where;
  }

  /** Whether controllers can neither stop anything nor note what runs. */
  get hinders(): boolean {
    return [...this.#now].some((each) => each.hinders === ALL);
  }

  /** True time at which controllers were hindered last in stopping a workload. Default: all of them. */
  hinderedAt(workload = ALL): number {
    const isHindered = [...this.#now].some(({ hinders }) => hinders === ALL || hinders === workload);
    if (isHindered) return this.#world.now;
    return Math.max(this.#until.get(ALL) ?? -Infinity, this.#until.get(workload) ?? -Infinity);
  }

  /** Single writes, of whatever kind, with that probability. Returns what ends it. */
  some(probability = this.#world.chance.between(0.1, 1)): () => void {
    return this.#refuse({
      what: 'take some writes',
      hinders: ALL,
      admission: refusals(this.#world.chance, probability),
    });
  }

  /** All writes of one kind. Returns what ends it. */
  oneKind(): () => void {
    return this.#refuse(refusal(this.#world.chance));
  }

  #refuse(refused: Refusal): () => void {
    const { what, hinders, admission } = refused;
    const all = this.#server.admission;
    this.#world.note(this.#where, `refuses to ${what}`);
    all.push(admission);
    this.#now.add(refused);
    return () => {
      all.splice(all.indexOf(admission), 1);
      this.#now.delete(refused);
      if (hinders !== undefined) this.#until.set(hinders, this.#world.now);
    };
  }
}

function verbOf({ before, object, isStatus }: Request): Verb {
  if (isStatus) return 'update the status of';
  if (!before) return 'create';
  return object ? 'update' : 'delete';
}

function isByController(by: string): boolean {
  return by !== KUBERNETES.by && by !== USER.by;
}

function errorOf([code, reason, message]: Answer): ApiError {
  return new ApiError(code, reason, message);
}
