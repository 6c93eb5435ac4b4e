import { WriteStream, isatty } from 'node:tty';
import type { PrettyLook } from './pretty-lines.ts';

/** Width of pretty lines that go to no terminal. */
const DEFAULT_COLUMNS = 120;
/** Time for which a terminal's width counts. */
const LOOK_MS = 1000;

/**
 * Returns the look of pretty lines on a descriptor: a terminal's own width, and its colours unless `NO_COLOR` is set
 * (no-color.org).
 *
 * @param clock milliseconds, monotonic
 */
export function lookOf(fd: number | null, clock: () => number = () => performance.now()): PrettyLook {
  if (fd === null || !isatty(fd)) return { columns: () => DEFAULT_COLUMNS, colours: false };
  const terminal = new WriteStream(fd);
  let columns = DEFAULT_COLUMNS;
  let lookedAt = -Infinity;
  return {
    colours: !process.env.NO_COLOR,
    columns: () => {
      if (clock() - lookedAt >= LOOK_MS) {
        lookedAt = clock();
        // A terminal may have no size, such as a serial line.
        columns = sizeOf(terminal) || DEFAULT_COLUMNS;
      }
      return columns;
    },
  };
}

/** A stream of a terminal, with the method by which Node itself reads the size again on SIGWINCH. */
interface Refreshable {
  readonly _refreshSize?: () => void;
}

function sizeOf(terminal: WriteStream): number {
  // Node calls it for process.stdout and process.stderr only, and the log has a descriptor of its own.
  (terminal as Refreshable)._refreshSize?.();
  return terminal.columns;
}
