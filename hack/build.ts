/** `npm run build`: bundles the controller into dist/, main.mjs and the chunks that it loads when needed. */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { shakeKubernetesClient } from './build/tree-shaking.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** Packages in the older module format expect these. */
const BANNER = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `const require = __createRequire(import.meta.url);`,
  `const __filename = import.meta.filename;`,
  `const __dirname = import.meta.dirname;`,
].join('\n');

async function bundle(entry: string, folder: string): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { main: entry },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    banner: { js: BANNER },
    plugins: [shakeKubernetesClient],
    metafile: true,
    logLevel: 'warning',
  });
  const sizes = Object.entries(metafile.outputs).map(([path, { bytes }]) => (path.endsWith('.map') ? 0 : bytes));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

const [entry = 'operator/main.ts', folder = 'dist'] = process.argv.slice(2);
const bytes = await bundle(resolve(ROOT, entry), resolve(ROOT, folder));
console.log(`Built ${folder}/main.mjs and its chunks: ${(bytes / 1e6).toFixed(1)} MB`);
