/** `npm run imports`: ends with 1 when a file imports what it may not. */
import { resolve } from 'node:path';
import { readGraph } from './graph.ts';
import { ruleNames, violationsOf } from './rules.ts';

const { files, edges } = readGraph(resolve(import.meta.dirname, '..', '..'));
const violations = violationsOf(edges);
for (const { rule, from, to } of violations) console.error(`${from} must not import ${to}: ${rule}`);
console.log(
  `Imports: ${files.length} files, ${edges.length} imports, ${ruleNames.length} rules, ${violations.length} violations`,
);
process.exitCode = violations.length > 0 ? 1 : 0;
