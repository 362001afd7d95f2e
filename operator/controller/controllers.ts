/** All kinds that one process manages, started, elected and ended together, with the caches that they share. */
import type { KubeObject } from '../cluster/cluster-client.ts';
import { Controller, type ControllerDeps, type Registration, type Source } from './controller.ts';

/** The loops of all kinds. */
export class Controllers {
  readonly #deps: ControllerDeps;
  readonly #all: Controller[] = [];
  readonly #sources = new Set<Source<KubeObject>>();
  #quiet: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
  }

  get all(): readonly Controller[] {
    return this.#all;
  }

  /** Registers a kind; before `start`. */
  manage(registration: Registration): void {
    const controller = new Controller(registration, this.#deps);
    this.#all.push(controller);
    for (const source of controller.sources) this.#sources.add(source);
  }

  /** Starts the caches and workers of all registered kinds. Does not wait for the API server: see `synced`. */
  async start(): Promise<void> {
    for (const controller of this.#all) controller.start();
    for (const source of this.#sources) source.start();
  }

  /** Whether all caches are complete. */
  async synced(): Promise<void> {
    await Promise.all([...this.#sources].map((source) => source.synced));
  }

  /** This controller leads now: queues everything once the caches are complete. */
  onElected(): void {
    for (const controller of this.#all) controller.onElected();
  }

  /** This controller leads no more: drops all keys. */
  onDemoted(): void {
    for (const controller of this.#all) controller.onDemoted();
  }

  /** What belongs to whom may have changed: looks at everything again. */
  reconsider(): void {
    for (const controller of this.#all) controller.enqueueAll('low');
  }

  /** Ends the workers after what is under way. Caches go on. */
  quiesce(): Promise<void> {
    return (this.#quiet ??= Promise.all(this.#all.map((controller) => controller.stop())).then(() => {}));
  }

  /** The same, then ends all watches. Leaves no timer and no watch. */
  shutdown(): Promise<void> {
    return (this.#shutdown ??= this.#stopAll());
  }

  async #stopAll(): Promise<void> {
    await this.quiesce();
    await Promise.all([...this.#sources].map((source) => source.stop()));
  }
}
