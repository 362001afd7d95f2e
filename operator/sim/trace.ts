/** What happened in a run: a hash over everything, and the last lines for people. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #kept: number;
  #hash = 0x811c9dc5;
  /** How many events were noted. */
  count = 0;

  /** `kept`: how many of the last lines to keep; Infinity keeps all. */
  constructor(kept = 60) {
    this.#kept = kept;
  }

  add(time: number, who: string, what: string): void {
    const line = `${(time / 1000).toFixed(3)} ${who}: ${what}`;
    this.count += 1;
    for (let i = 0; i < line.length; i++) this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#kept) this.#lines.splice(0, this.#lines.length - this.#kept);
  }

  /** Equal for runs in which the same happened at the same times. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#kept);
  }
}
