/**
 * What writes log lines. A line is one JSON object: `level` by name, `time` as ISO 8601 in UTC, `msg`, `worker` if a worker
 * wrote it, `err` for an error, and the fields of the event.
 */

/** A level of lines that are written, or none. */
type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerSettings {
  readonly level: Level;
}

/** Writes one line of a level, unless the logger leaves it out. */
interface WriteLine {
  (fields: object, message: string): void;
  (message: string): void;
}

/** The logger of the primary (`createLogger`) or of a worker (`createWorkerLogger`). */
export interface Logger {
  /** The lowest level of the lines that are written. A change counts from the next line on. */
  level: string;
  /** Whether lines of a level are written. */
  isLevelEnabled(level: string): boolean;
  readonly debug: WriteLine;
  readonly info: WriteLine;
  readonly warn: WriteLine;
  readonly error: WriteLine;
  readonly fatal: WriteLine;
}
