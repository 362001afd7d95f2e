/**
 * The log: one line per event on standard output, JSON for machines or text for people, always with timestamp, level
 * and message first. Secrets are redacted here, once, whatever callers pass.
 */
import { createLogger as createWinston, format, transports } from 'winston';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/logger.ts';
import type { Redact } from '../lib/redactor.ts';
import { newRedactor } from '../lib/redactor.ts';
import { plainFields } from './redact.ts';
import { Repeats } from './repeats.ts';

/** From the most talkative to the least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Which lines are written, how and where. */
export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Goes over every text; what only looks like a secret is masked unless told. */
  readonly redact?: Redact;
  /** Standard output unless told. */
  readonly output?: NodeJS.WritableStream;
  readonly clock?: Clock;
  /** Milliseconds in which a warning or error that was written already is only counted, at first; 10 000 unless told. */
  readonly repeatWindowMs?: number;
}

/** The logger of the process, which alone can be changed and closed. */
export interface AppLogger extends Logger {
  /** From now on, without a restart. */
  setLevel(level: LogLevel): void;
  /** Resolves when everything was handed to the operating system; nothing may be logged after. */
  close(): Promise<void>;
}

/** winston reads the finished line from here. */
const LINE = Symbol.for('message');
const RESERVED = new Set(['timestamp', 'level', 'message']);

/** A logger that writes lines to `output`. */
export function createLogger(options: LoggerOptions): AppLogger {
  const { output = process.stdout, clock = systemClock, repeatWindowMs = 10_000, redact = newRedactor([]) } = options;
  const render = options.format === 'json' ? JSON.stringify : renderText;
  const winston = createWinston({
    level: options.level,
    format: format((info) => ({ ...info, [LINE]: info['line'] }))(),
    transports: [new transports.Stream({ stream: output, eol: '\n' })],
  });
  const repeats = new Repeats(clock, repeatWindowMs);

  const emit = (level: LogLevel, message: string, fields: LogFields) => {
    const line = render({ timestamp: new Date(clock.wall()).toISOString(), level, message, ...fields });
    winston.log({ level, message, line });
  };
  const write = (level: LogLevel, message: string, fields: LogFields) => {
    if (!winston.isLevelEnabled(level)) return;
    const safe = withoutReserved(plainFields(fields, { stacks: winston.isLevelEnabled('debug'), redact }));
    const summarise = (repeated: number) => emit(level, message, { ...safe, repeated });
    if ((level === 'error' || level === 'warn') && !repeats.pass(JSON.stringify([message, safe]), summarise)) return;
    emit(level, message, safe);
  };
  return {
    ...bind(write, {}),
    setLevel(level) {
      winston.level = level;
    },
    async close() {
      repeats.flush();
      await new Promise<void>((resolve) => winston.once('finish', resolve).end());
      await new Promise<void>((resolve) => output.write('', () => resolve()));
    },
  };
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

function bind(write: Write, own: LogFields): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => write(level, message, { ...own, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => bind(write, { ...own, ...fields }),
  };
}

/** A field may not pose as one of the line's own. */
function withoutReserved(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [RESERVED.has(name) ? `${name}_` : name, value]),
  );
}

interface Line extends LogFields {
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly message: string;
}

/** One line whatever the values hold: what has spaces or line breaks is quoted. */
function renderText({ timestamp, level, message, ...fields }: Line): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  return [timestamp, level.toUpperCase().padEnd(5), oneLine(message), ...parts].join(' ');
}

function oneLine(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line, index) => (index === 0 ? line.trimEnd() : line.trim()))
    .join(' ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined');
}
