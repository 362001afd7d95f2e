/** Runs batches in threads, on the code as it is or with a defect planted in it. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Batch, Report } from './worker.ts';
import type { Mutant } from './mutant.ts';

/** Otherwise each line of each stack would hold the whole text, which is its own address. */
const NAMED = '\n//# sourceURL=simulator.mjs\n';
const ROOT = resolve(import.meta.dirname, '..');

/**
 * The simulator and the production code in one text, with the mutant's edits. Throws when an edit does not fit: then the
 * production code has changed and the mutant must follow.
 */
export async function bundle(mutant?: Mutant): Promise<string> {
  const edits = mutant?.edits ?? [];
  const result = await build({
    entryPoints: [join(import.meta.dirname, 'worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'plant',
        setup(building) {
          for (const file of new Set(edits.map((edit) => edit.file))) {
            building.onLoad({ filter: new RegExp(`/${file.replaceAll('.', '\\.')}$`) }, async ({ path }) => ({
              contents: planted(
                await readFile(path, 'utf8'),
                edits.filter((edit) => edit.file === file),
              ),
              loader: 'ts',
            }));
          }
        },
      },
    ],
    absWorkingDir: ROOT,
  });
  return `${result.outputFiles[0]?.text ?? ''}${NAMED}`;
}

function planted(source: string, edits: Mutant['edits']): string {
  let text = source;
  for (const { file, find, put } of edits) {
    if (text.split(find).length !== 2) throw new Error(`${file} has not exactly one place with: ${find}`);
    text = text.replace(find, () => put);
  }
  return text;
}

/** Plays the batch in a thread and hands out each report as it comes; resolves with the one that ended it, if one did. */
export function playBatch(
  code: string,
  batch: Batch,
  each: (report: Report) => void = () => {},
): Promise<Report | undefined> {
  return new Promise((done, fail) => {
    let last: Report | undefined;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: batch });
    worker.on('message', (report: Report) => {
      last = report;
      each(report);
    });
    worker.on('error', fail);
    worker.on('exit', () => done(last?.violation ? last : undefined));
  });
}
