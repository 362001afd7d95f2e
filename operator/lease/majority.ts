import { StoreError } from './store-error.ts';

/**
 * Resolves as soon as more than half of the answers are the same, `text` telling; rejects with a `StoreError` as soon as
 * that cannot happen any more. Whoever has not answered by then is not waited for. `who` is the plural for people.
 */
export function majority<T>(who: string, asked: readonly Promise<T>[], text: (answer: T) => string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const needed = Math.floor(asked.length / 2) + 1;
  const votes = new Map<string, number>();
  const failures: unknown[] = [];
  let open = asked.length;
  const settle = () => {
    open -= 1;
    if (Math.max(0, ...votes.values()) + open >= needed) return;
    reject(failures.length > asked.length - needed ? tooFew(who, asked.length, failures) : divided(who, votes));
  };
  for (const question of asked) {
    question.then(
      (answer) => {
        const name = text(answer);
        const count = (votes.get(name) ?? 0) + 1;
        votes.set(name, count);
        if (count >= needed) resolve(answer);
        settle();
      },
      (error: unknown) => {
        failures.push(error);
        settle();
      },
    );
  }
  return promise;
}

function tooFew(who: string, asked: number, failures: readonly unknown[]): StoreError {
  const errors = failures.filter((error) => error instanceof StoreError);
  const kinds = new Set(errors.map(({ kind }) => kind));
  const kind = kinds.size === 1 ? errors[0]?.kind : undefined;
  const messages = [...new Set(errors.map(({ message }) => message))].join('; ');
  return new StoreError(kind ?? 'unreachable', `${failures.length} of ${asked} ${who} did not answer: ${messages}`);
}

function divided(who: string, votes: ReadonlyMap<string, number>): StoreError {
  const said = [...votes].map(([name, count]) => `${count} reported ${name || 'none'}`).join(', ');
  return new StoreError('unreachable', `The ${who} do not agree on the master (more than half must): ${said}`);
}
