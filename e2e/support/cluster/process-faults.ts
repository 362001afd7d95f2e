/** Faults of a single process, such as a controller under test. The pid must be one that the test started. */

/** As if it hung, or its machine were frozen: its timers do not fire and its sockets stay open. */
export function pauseProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
}

export function resumeProcess(pid: number): void {
  process.kill(pid, 'SIGCONT');
}

/** As if the power failed: it cannot say goodbye. */
export function killProcess(pid: number): void {
  process.kill(pid, 'SIGKILL');
}
