/** `highlander config print`: every setting, what it is and where that came from, as a file that could be loaded. */
import { Document, isMap, isScalar, YAMLMap } from 'yaml';
import type { Pair } from 'yaml';
import type { Config } from '../config/config.ts';
import { shownSettings } from '../config/shown.ts';

/** All settings as text; secrets are masked. */
export function printConfig(config: Config, output: 'yaml' | 'json'): string {
  const settings = shownSettings(config);
  if (output === 'json')
    return `${JSON.stringify(Object.fromEntries(settings.map(({ path, ...rest }) => [path, rest])), undefined, 2)}\n`;
  const document = new Document({});
  for (const { path, value, origin } of settings) {
    const steps = path.split('.');
    if (value === undefined) continue;
    document.setIn(steps, document.createNode(value));
    const node: unknown = document.getIn(steps, true);
    if (isScalar(node)) node.comment = ` ${origin}`;
    else commentKey(document, steps, origin);
  }
  return document.toString({ lineWidth: 0 });
}

/** A list has its comment above it. */
function commentKey(document: Document, steps: readonly string[], origin: string): void {
  const section: unknown = steps.length === 1 ? document.contents : document.getIn(steps.slice(0, -1), true);
  const name = steps.at(-1);
  const pair = isMap(section) ? section.items.find((each: Pair) => String(each.key) === name) : undefined;
  if (pair && section instanceof YAMLMap) {
    const key = document.createNode(name);
    key.commentBefore = ` ${origin}`;
    pair.key = key;
  }
}
