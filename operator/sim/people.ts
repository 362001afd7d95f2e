/** What people ask of a tenant, from a machine of their own and through the store alone: rightly and wrongly. */
import type { CellStore } from '../lease/cell-store.ts';
import { cellKeys } from '../lease/cell-store.ts';
import { NoHeir } from '../leadership/heir.ts';
import type { Wish } from '../leadership/heir.ts';
import { StillAlive } from '../leadership/confirmation.ts';
import type { Orders } from '../leadership/orders.ts';
import { Outdated, TenantDesk } from '../leadership/tenant-desk.ts';
import { TENANT } from './actor.ts';
import { calm, Link } from './link.ts';
import { Machine, Process } from './machine.ts';
import type { Play } from './play.ts';

/** Who was heard of within so much of a ttl is still alive for whoever asks now and has the answer as soon. */
const LATELY = 0.4;
const CALL_MS = 5000;
const SLOW_MS = 4000;

/** People who ask something at random times. */
export class People {
  readonly #sim: Play;
  readonly #process: Process;

  constructor(sim: Play) {
    this.#sim = sim;
    const machine = new Machine(sim.world, { name: 'people', rate: 1, wallOffsetMs: 0, memoryMs: 0 });
    this.#process = new Process(machine, 'people');
  }

  orderHandOver(): void {
    new Person(this.#sim, this.#process).orderHandOver();
  }

  /** Returns what ends it. */
  confirm(cluster: string): () => void {
    return new Person(this.#sim, this.#process).confirm(cluster);
  }
}

class Person {
  readonly #sim: Play;
  readonly #process: Process;
  readonly #link: Link;
  readonly #desk: TenantDesk;
  /** Of whom the store had heard lately at the last look, by the id of their cluster; and when that was. */
  #living: ReadonlyMap<string, string> = new Map();
  #lookedAt = 0;

  constructor(sim: Play, process: Process) {
    this.#sim = sim;
    this.#process = process;
    this.#link = new Link(process, sim.store);
    const cells = this.#looking(sim.store.connect(process, this.#link));
    this.#desk = new TenantDesk(cells, TENANT, { timeoutMs: CALL_MS }, process.clock);
  }

  /** To a controller, a cluster, or whoever is ready; now and then by what they had seen before. */
  orderHandOver(): void {
    const sim = this.#sim;
    const { chance } = sim.world;
    const wish = chance.pick<Wish>([
      {},
      { to: chance.pick(sim.controllers).identity },
      { toCluster: chance.pick(sim.clusters).id },
    ]);
    const term = sim.store.lease?.term ?? 0;
    const expected = chance.hits(0.5) ? { term: term - (chance.hits(0.3) ? 1 : 0) } : {};
    this.#speak();
    const ordered = this.#desk.handOver(wish, 'people', expected);
    ordered.then(
      ({ leader, heir }) => this.#ordered(leader.record.term, heir.identity, expected.term),
      (error: unknown) => this.#refused('a hand-over', error),
    );
  }

  /** Says that nothing runs in a cluster, by its id or name, again and again: because it is dead, or wrongly. */
  confirm(cluster: string): () => void {
    let isOver = false;
    const again = async () => {
      while (!isOver) {
        await this.#confirm(cluster);
        await this.#process.clock.sleep(this.#sim.timing.retryPeriodMs);
      }
    };
    this.#speak();
    void again();
    return () => void (isOver = true);
  }

  async #confirm(cluster: string): Promise<void> {
    try {
      const { jumps } = this.#sim.store;
      const { id } = await this.#desk.confirmStopped(cluster);
      this.#judge(id, jumps === this.#sim.store.jumps);
    } catch (error) {
      this.#refused(`that nothing runs in ${cluster}`, error);
    }
  }

  #judge(id: string, hasTime: boolean): void {
    const { world, checker, timing, clusters } = this.#sim;
    world.note('people', `say that nothing runs in ${id}`);
    const living = this.#living.get(id);
    if (living !== undefined && hasTime && world.now < this.#lookedAt + LATELY * timing.ttlMs)
      checker.fail('words of people', `that ${id} has stopped is believed, although ${living} lives there`);
    const cluster = clusters.find((each) => each.id === id);
    if (!cluster || cluster.isDead) return;
    world.note('checker', `what runs in ${id} is not waited for, since people said so`);
    checker.words.deceived(cluster, world.now);
  }

  #ordered(term: number, to: string, expected: number | undefined): void {
    const { world, checker } = this.#sim;
    world.note('people', `order ${term} to be handed over to ${to}`);
    if (expected !== undefined && expected !== term)
      checker.fail('words of people', `an order for term ${expected} is taken in term ${term}`);
  }

  #refused(what: string, error: unknown): void {
    const { world, checker } = this.#sim;
    const isExpected = error instanceof Outdated || error instanceof NoHeir || error instanceof StillAlive;
    world.note('people', `are not heard: ${what}: ${String(error)}`);
    if (!isExpected && error instanceof TypeError) checker.fail('no defect', `${what}: ${String(error)}`);
  }

  /** Now and then what they say arrives late. */
  #speak(): void {
    const { chance } = this.#sim.world;
    this.#link.conditions = chance.hits(0.3) ? { ...calm, latencyMs: [1, SLOW_MS] } : calm;
  }

  /** The store as they see it, and as the checker knows it was. */
  #looking(store: CellStore): CellStore {
    return {
      ...store,
      list: (prefix, call) => {
        this.#lookedAt = this.#sim.world.now;
        this.#living = this.#heardOf();
        return store.list(prefix, call);
      },
      write: (key, value, expected, call) => {
        const { handOver } = JSON.parse(value) as Orders;
        if (handOver) this.#sim.checker.words.ordered(handOver.term, handOver.to);
        return store.write(key, value, expected, call);
      },
    };
  }

  #heardOf(): ReadonlyMap<string, string> {
    const { controllers, store, world, timing } = this.#sim;
    const since = world.now - LATELY * timing.ttlMs;
    const heard = controllers.filter(
      ({ identity, process }) =>
        process.alive && (store.writtenAt(cellKeys.presence(TENANT, identity)) ?? -Infinity) > since,
    );
    return new Map(heard.map(({ cluster, identity }) => [cluster.id, identity]));
  }
}
