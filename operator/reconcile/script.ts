/**
 * How a script reaches its shell. Kubernetes replaces `$(NAME)` and `$$` in commands, so every `$` is doubled and the
 * shell reads what the user wrote, byte for byte. A shell as the first process of a container ignores SIGTERM and passes
 * it to nobody; the launcher in its place tells every process of the container, once, and ends after the last of them.
 */
import { MAX_ARGUMENT_BYTES } from '../api/fields.ts';
import { scriptText } from '../api/workload.ts';
import { TerminalError } from '../lib/errors.ts';

const POSIX_SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh']);

/**
 * `$0` is the shell, `$1` the script. Only the first process may use `kill -1`: elsewhere it would hit strangers.
 * - `tell` signals once: many programs take a second SIGTERM for "now, without cleaning up".
 * - The trap is set after the script was started: what a shell forks has the trap of its parent until it clears it, and a
 *   signal that comes between is lost.
 * - A trapped signal ends `wait` early, so it is repeated; 127 then means that the status was already delivered.
 * - The script's shell dies of SIGTERM before a program of it has cleaned up, so its end is not the container's.
 * - `status` is a read-only name in zsh.
 * - Running `sleep` also collects ended orphans, which would otherwise count as alive.
 */
export const LAUNCHER = `[ $$ = 1 ] || exec "$0" -ec "$1"
stopping= again=1 first=1 code=0
"$0" -ec "$1" &
child=$!
tell() { again=1; [ "$stopping" ] || { stopping=1; kill -TERM -1 2>/dev/null; }; }
trap tell TERM INT
while [ "$again" ]; do
  again=
  wait "$child"; result=$?
  [ "$result" = 127 ] && [ -z "$first" ] || code=$result
  first=
done
if [ "$stopping" ]; then
  while kill -0 -1 2>/dev/null; do sleep 0.1 2>/dev/null || sleep 1 2>/dev/null || (:); done
fi
exit "$code"`;

/** The container's command. Throws `TerminalError` for a script that Linux could not start. */
export function scriptCommand(shell: string, commands: readonly string[]): string[] {
  const text = scriptText(commands);
  if (Buffer.byteLength(text) > MAX_ARGUMENT_BYTES) {
    throw new TerminalError(
      'InvalidSpec',
      `spec.script is longer than ${MAX_ARGUMENT_BYTES} bytes: put it into a ConfigMap or the image`,
    );
  }
  const argv = isPosixShell(shell) ? [shell, '-c', LAUNCHER, shell, text] : [shell, '-c', text];
  return argv.map(literal);
}

/** A text that Kubernetes' expansion turns into `text`. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function isPosixShell(shell: string): boolean {
  return POSIX_SHELLS.has(shell.slice(shell.lastIndexOf('/') + 1));
}
