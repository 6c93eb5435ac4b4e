/**
 * Ends the process with a status, without Node's teardown. The teardown aborts if a thread has open native
 * handles, and hangs during a write to a full pipe.
 *
 * Replaces the process with a program that only exits, by execve(2). Without execve, the process kills
 * itself, and the status reports SIGKILL.
 */
export function hardExit(status: number): void {
  try {
    const program = process.execPath;
    process.execve?.(program, [program, '-e', `process.exit(${status})`], {});
  } catch {
    // The platform has no execve.
  }
  process.kill(process.pid, 'SIGKILL');
}
