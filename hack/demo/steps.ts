/** Says what happens, shows it, and how long it took. */
import { styleText } from 'node:util';

export class Steps {
  #number = 0;

  /** Runs one step; its title says what it does. */
  async step<T>(title: string, act: () => Promise<T>): Promise<T> {
    this.#number += 1;
    console.log(`\n${styleText('bold', `${this.#number}. ${title}`)}`);
    const start = performance.now();
    const result = await act();
    console.log(styleText('green', `   ✔ ${seconds(performance.now() - start)}`));
    return result;
  }

  /** What a person would type, and what it prints. */
  async show(command: string, output: Promise<string>): Promise<void> {
    const text = (await output).trimEnd();
    console.log(styleText('cyan', `   $ ${command}`));
    this.tell(text);
  }

  tell(text: string): void {
    console.log(text.replace(/^/gm, '   '));
  }
}

export function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
