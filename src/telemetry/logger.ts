/**
 * The logger's contract. A line is one JSON object. `level` is a name, and `time` is ISO 8601 in UTC. A line
 * also has `msg`, the event's fields, `worker` in a worker's lines, and `err` for an error.
 */

/** The lowest level to write, or none. */
type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerSettings {
  readonly level: Level;
}

/** Writes one line, unless its level is disabled. */
interface WriteLine {
  (fields: object, message: string): void;
  (message: string): void;
}

/** The logger of the primary (`createLogger`) or of a worker (`createWorkerLogger`). */
export interface Logger {
  /** The lowest level to write. Changes apply from the next line on. */
  level: string;
  /** Whether lines of a level are written. */
  isLevelEnabled(level: string): boolean;
  readonly debug: WriteLine;
  readonly info: WriteLine;
  readonly warn: WriteLine;
  readonly error: WriteLine;
  readonly fatal: WriteLine;
}
