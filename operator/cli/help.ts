/** What `--help` prints, from the tables of verbs and settings. */
import { configKeys } from '../config/keys.ts';
import type { Verb } from './verbs.ts';
import { verbs } from './verbs.ts';

/** Of `highlander --help`: every verb and every setting. */
export function usage(): string {
  const lines = Object.values(verbs).map(({ usage: how, does }) => `  highlander ${how}\n      ${does}\n`);
  return `highlander: exactly one instance of a process, across controllers and clusters

Usage:
${lines.join('')}  highlander [VERB] --help | --version

${settingsText()}`;
}

/** Of `highlander VERB --help`. */
export function usageOf({ usage: how, does }: Verb): string {
  return `Usage: highlander ${how}\n\n${does}\n${how.includes('[flags]') ? `\n${settingsText()}` : ''}`;
}

function settingsText(): string {
  const settings = configKeys.filter((key) => key.flag !== undefined);
  const width = Math.max(...settings.map((key) => key.flag?.length ?? 0));
  const flags = settings.map((key) => `  --${(key.flag ?? '').padEnd(width)}  ${key.doc}`);
  return `Flags override environment variables (HIGHLANDER_*), which override the config file:\n${flags.join('\n')}\n`;
}
