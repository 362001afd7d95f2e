/** What the documents tell people to run. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** Runs the lines of `docs/uninstall.md` for kubectl. */
export async function uninstallByHand(kubeconfig: string, namespace: string): Promise<void> {
  const text = readFileSync(resolve(import.meta.dirname, '../../../docs/uninstall.md'), 'utf8');
  const lines = /```sh\n(.*?)```/s.exec(text)?.[1];
  if (lines === undefined) throw new Error('docs/uninstall.md has no lines to run');
  const env = { ...process.env, KUBECONFIG: kubeconfig, NAMESPACE: namespace };
  await promisify(execFile)('bash', ['-eu', '-o', 'pipefail', '-c', lines], { env });
}
