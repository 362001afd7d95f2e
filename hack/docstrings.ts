/** `npm run docstrings`: ends with 1 when an exported symbol of operator/ has no docstring, and says where it is. */
import { resolve } from 'node:path';
import { isExportSpecifier } from 'typescript/unstable/ast';
import type { Program } from './source/program.ts';
import { withProgram } from './source/program.ts';

/** `path:line name` of each exported symbol without a docstring; what a file passes on from another counts there. */
function undocumented(program: Program): { readonly total: number; readonly missing: readonly string[] } {
  const { sources, checker } = program;
  const exported = sources.flatMap(({ file }) => {
    const module = checker.getSymbolAtLocation(file);
    const symbols = module ? checker.getExportsOfModule(module) : [];
    return symbols.flatMap((symbol) => {
      const declarations = symbol.declarations.flatMap((handle) => handle.resolve() ?? []);
      const first = declarations.find((node) => node.getSourceFile() === file && !isExportSpecifier(node));
      return first ? [{ symbol, place: `${program.at(first)} ${symbol.name}` }] : [];
    });
  });
  const missing = exported.filter(({ symbol }) => checker.getDocumentationCommentOfSymbol(symbol).trim() === '');
  return { total: exported.length, missing: missing.map(({ place }) => place) };
}

const { total, missing } = withProgram(resolve(process.argv[2] ?? `${import.meta.dirname}/..`), undocumented);
for (const place of missing) console.error(`${place} has no docstring`);
console.log(`Docstrings: ${total} exported symbols, ${missing.length} without one`);
process.exitCode = missing.length > 0 ? 1 : 0;
