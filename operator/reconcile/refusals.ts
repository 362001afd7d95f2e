/** What could not be stopped when it was tried last, and why. */
export class Refusals {
  #last: ReadonlyMap<string, string> = new Map();
  #trying = new Map<string, string>();

  get last(): ReadonlyMap<string, string> {
    return this.#last;
  }

  /** What is added until `trying` has ended is what counts from then on. Throws what it throws. */
  async during(trying: () => Promise<void>): Promise<void> {
    this.#trying = new Map();
    try {
      await trying();
    } finally {
      this.#last = this.#trying;
    }
  }

  /** Of several reasons the first counts: the others may follow from it. */
  add(workload: string, because: string): void {
    if (!this.#trying.has(workload)) this.#trying.set(workload, because);
  }
}
