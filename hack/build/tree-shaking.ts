/**
 * Lets esbuild drop the parts of the Kubernetes client that nobody uses: most of 16 MB. The package does not say that
 * its modules are free of side effects; the one that is not, a polyfill of `File`, is part of Node 24.
 */
import { join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

const CLIENT = '@kubernetes/client-node';
const FOR_FRAMEWORK = resolve(import.meta.dirname, 'framework-client.ts');
/** Marks our own question to the resolver, which would come back to us otherwise. */
const ASKED = Symbol('asked');

export const shakeKubernetesClient: Plugin = {
  name: 'shake-kubernetes-client',
  setup(build) {
    build.onResolve(
      { filter: /^@kubernetes\/client-node$/ },
      async ({ importer, path, pluginData, kind, resolveDir }) => {
        if (pluginData === ASKED) return undefined;
        if (importer.includes('/node_modules/@dot-i/')) return { path: FOR_FRAMEWORK };
        const found = await build.resolve(path, { importer, kind, resolveDir, pluginData: ASKED });
        return { ...found, sideEffects: false };
      },
    );
    // Resolved by hand: asking esbuild for each of the thousands of modules takes four times as long.
    build.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ importer, path, resolveDir }) =>
      importer.includes(`/node_modules/${CLIENT}/dist/`)
        ? { path: join(resolveDir, path), sideEffects: false }
        : undefined,
    );
  },
};
