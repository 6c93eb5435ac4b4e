import { closeSync, openSync } from 'node:fs';
import { SystemCallError } from '../errno.ts';
import { nativeCalls } from '../native-calls.ts';
import { F_DUPFD_CLOEXEC } from '../socket-constants.ts';

const STDOUT = 1;
const STDERR = 2;

/**
 * Moves standard output to another descriptor, and points descriptor 1 to /dev/null. Native libraries write
 * to descriptor 1, and their lines must not get into the log. A write to /dev/null never blocks a thread.
 *
 * uWebSockets.js prints `Browsed to SNI: NAME` when routes are added for a server name, and clients choose
 * its spelling. Without this library, this file is not needed.
 *
 * @returns the new descriptor of standard output, which child processes do not inherit
 * @throws Error if system calls are not supported, or no descriptor is free. Nothing has changed then
 */
export function takeStandardOutput(): number {
  const calls = nativeCalls();
  const own = calls.fcntl(STDOUT, F_DUPFD_CLOEXEC, STDERR + 1);
  if (own < 0) throw new SystemCallError('fcntl', calls.errno(), 'standard output');
  try {
    const nowhere = openSync('/dev/null', 'w');
    try {
      if (calls.dup3(nowhere, STDOUT, 0) < 0) throw new SystemCallError('dup3', calls.errno(), '/dev/null');
    } finally {
      closeSync(nowhere);
    }
  } catch (error) {
    calls.close(own);
    throw error;
  }
  return own;
}
