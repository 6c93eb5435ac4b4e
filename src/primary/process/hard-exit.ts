/**
 * Ends the process with this status and without Node's teardown, which aborts where a uWS thread has handles
 * open, and hangs where a write to a full pipe is under way: what runs is replaced by a program that only exits.
 */
export function hardExit(status: number): void {
  try {
    const program = process.execPath;
    process.execve?.(program, [program, '-e', `process.exit(${status})`], {});
  } catch {
    // Not on this platform.
  }
  process.kill(process.pid, 'SIGKILL');
}
