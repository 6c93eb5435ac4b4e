import { WriteStream, isatty } from 'node:tty';
import type { PrettyStyle } from './pretty-lines.ts';

/** `auto` is pretty at a terminal, and JSON elsewhere. */
export type LogFormat = 'auto' | 'json' | 'pretty';

/** Width of pretty lines that do not go to a terminal. */
const DEFAULT_COLUMNS = 120;
/** Time between two reads of a terminal's width. */
const WIDTH_REFRESH_MS = 1000;

/**
 * Reports whether the lines of a format are for people.
 *
 * @param fd the descriptor that the lines go to. Null for a file
 */
export function isForPeople(format: LogFormat, fd: number | null): boolean {
  return format === 'pretty' || (format === 'auto' && fd !== null && isatty(fd));
}

/**
 * Returns the style of pretty lines on a descriptor: the terminal's width, and colours unless `NO_COLOR` is
 * set (no-color.org).
 *
 * @param clock milliseconds, monotonic
 */
export function styleOf(fd: number | null, clock: () => number = () => performance.now()): PrettyStyle {
  if (fd === null || !isatty(fd)) return { columns: () => DEFAULT_COLUMNS, colours: false };
  const terminal = new WriteStream(fd);
  let columns = DEFAULT_COLUMNS;
  let readAt = -Infinity;
  return {
    colours: !process.env.NO_COLOR,
    columns: () => {
      if (clock() - readAt >= WIDTH_REFRESH_MS) {
        readAt = clock();
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
