/** kubectl, as users type it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export interface Kubectl {
  /** Standard output of `kubectl ARGS`; rejects with standard error. */
  run(...args: readonly string[]): Promise<string>;
  /** The object as JSON; `undefined` when it does not exist. */
  get<T>(...args: readonly string[]): Promise<T | undefined>;
  /** `kubectl apply -f -` of this YAML. */
  apply(yaml: string): Promise<string>;
  /** What the API server says to this YAML; nothing is made. */
  dryRun(yaml: string): Promise<string>;
}

export function kubectl(kubeconfig: string): Kubectl {
  const run = async (args: readonly string[], input?: string): Promise<string> => {
    const child = exec('kubectl', ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 64 << 20 });
    child.child.stdin?.end(input);
    return (await child).stdout;
  };
  return {
    run: (...args) => run(args),
    get: async <T>(...args: readonly string[]) => {
      const text = await run(['get', ...args, '-o', 'json', '--ignore-not-found']);
      return text === '' ? undefined : (JSON.parse(text) as T);
    },
    apply: (yaml) => run(['apply', '-f', '-'], yaml),
    dryRun: (yaml) => run(['apply', '--dry-run=server', '-f', '-'], yaml),
  };
}
