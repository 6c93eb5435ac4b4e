import { WriteStream, isatty } from 'node:tty';
import type { PrettyLook } from './pretty-lines.ts';

/** Width of pretty lines that do not go to a terminal. */
const DEFAULT_COLUMNS = 120;
/** Time between two reads of a terminal's width. */
const LOOK_MS = 1000;

/**
 * Returns the look of pretty lines on a descriptor: the terminal's width, and colours unless `NO_COLOR` is
 * set (no-color.org).
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
        // Some terminals have no size, such as serial lines.
        columns = sizeOf(terminal) || DEFAULT_COLUMNS;
      }
      return columns;
    },
  };
}

/** A terminal's stream, with the method Node itself uses to reread the size on SIGWINCH. */
interface Refreshable {
  readonly _refreshSize?: () => void;
}

function sizeOf(terminal: WriteStream): number {
  // Node calls it only for process.stdout and process.stderr, and the log has its own descriptor.
  (terminal as Refreshable)._refreshSize?.();
  return terminal.columns;
}
