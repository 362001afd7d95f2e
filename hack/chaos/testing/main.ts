/** A campaign in a world of nothing, for the test of how it is conducted: `main.ts FAULT…`, each played once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uptimeMs } from '../../../e2e/support/chaos/diaries.ts';
import { conduct } from '../conduct.ts';

const world = {
  folder: mkdtempSync(join(tmpdir(), 'highlander-conduct-')),
  settled: async () => uptimeMs(),
  close: async () => rmSync(world.folder, { recursive: true, force: true }),
};

const faults = {
  short: { play: async () => {} },
  throwing: {
    async play() {
      throw new Error('the cluster is gone');
    },
  },
  endless: { play: () => new Promise<void>(() => setInterval(() => {}, 1000)) },
  interrupted: {
    async play() {
      process.kill(process.pid, 'SIGINT');
      await new Promise((resolve) => setImmediate(resolve));
    },
  },
};

const say = (line: string) => void process.stdout.write(`${line}\n`);
process.exitCode = await conduct(
  { chosen: process.argv.slice(2), rounds: 1, seed: 1, say },
  { open: async () => world, faults },
);
