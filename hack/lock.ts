/**
 * Completes package-lock.json after `npm install`: a registry that lacks packages for other platforms makes npm leave them
 * out, and `npm ci` then refuses the whole file. `--check` only says whether something is missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Lock } from './platform-packages.ts';
import { withPlatformPackages } from './platform-packages.ts';

const FILE = resolve(import.meta.dirname, '../package-lock.json');

const lock = JSON.parse(readFileSync(FILE, 'utf8')) as Lock;
const complete = withPlatformPackages(lock);
const added = Object.keys(complete.packages).length - Object.keys(lock.packages).length;
if (process.argv.includes('--check')) {
  if (added > 0) console.error(`package-lock.json lacks ${added} packages for other platforms: npm run lock`);
  process.exitCode = added > 0 ? 1 : 0;
} else if (added > 0) {
  writeFileSync(FILE, `${JSON.stringify(complete, null, 2)}\n`);
  console.log(`Added ${added} packages for other platforms to package-lock.json`);
}
