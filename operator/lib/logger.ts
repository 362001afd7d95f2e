/** Fields of a log line besides its message: constant message, variable data here. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of the code logs to; lines below the configured level are dropped. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. Make it once per component, not per event. */
  child(fields: LogFields): Logger;
}

/** Drops everything. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
