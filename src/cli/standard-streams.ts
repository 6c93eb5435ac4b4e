/** Handles errors of standard output and standard error. Node ends the process with a stack trace otherwise. */
import { codeOf, messageOf } from '../core/errors.ts';

/** The reader of the pipe left, such as `head`, or the terminal is closed. */
const CLOSED_CODES: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO']);

/**
 * Keeps a command alive if the reader of its output leaves. Another failure, such as a full disk, ends the
 * process with a message and the status 1.
 *
 * Not for a proxy: `process.stdout` makes a pipe non-blocking, and the log writes to the same pipe.
 */
export function guardOutput(): void {
  guardErrors();
  process.stdout.on('error', (error) => {
    if (CLOSED_CODES.has(codeOf(error))) return;
    process.stderr.write(`sluice: standard output cannot be written: ${messageOf(error)}\n`);
    process.exit(1);
  });
}

/** Ignores failures of standard error: there is no place to report them. Idempotent. */
export function guardErrors(): void {
  process.stderr.off('error', ignore).on('error', ignore);
}

function ignore(): void {
  // Only the listener matters.
}
