/** Progress for people: one line that rewrites itself on a terminal, a line now and then in a log. */

const LOG_EVERY_MS = 15_000;

export interface Progress {
  update(text: string): void;
  done(text?: string): void;
}

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const started = performance.now();
  let current = '';
  const line = (): string => `${current} … ${duration(performance.now() - started)}`;
  const show = (): void => {
    if (!current) return;
    stream.write(stream.isTTY ? `\r\x1b[2K${line()}` : `${line()}\n`);
  };
  const timer = setInterval(show, stream.isTTY ? 500 : LOG_EVERY_MS);
  timer.unref();
  return {
    update(text) {
      const first = current === '';
      current = text;
      if (first || stream.isTTY) show();
    },
    done(text) {
      clearInterval(timer);
      if (stream.isTTY && current) stream.write('\r\x1b[2K');
      if (text) stream.write(`${text} (${duration(performance.now() - started)})\n`);
    },
  };
}

export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60
    ? `${(milliseconds / 1000).toFixed(1)}s`
    : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
