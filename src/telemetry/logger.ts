/**
 * Loggers of the primary and the workers. A line is one JSON object: `level` by name, `time` as ISO 8601 in UTC,
 * `msg`, `worker` if a worker wrote it, `err` for an error, and the fields of the event.
 */
import { pino } from 'pino';
import type { LogOutput } from './log-output.ts';

export type Logger = pino.Logger;

/** Max length of a field and of the message: clients choose paths, and endpoints choose error texts. */
const MAX_FIELD_CHARACTERS = 2048;

interface LoggerSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** A worker posts its lines when this many characters wait, else once per turn of its event loop. */
const BATCH_CHARACTERS = 64 * 1024;

/** Creates the primary's logger. */
export function createLogger(settings: LoggerSettings, output: Pick<LogOutput, 'write'>): Logger {
  return build(settings, {}, output);
}

/**
 * Creates a worker's logger. Its lines go to the primary in batches. `flush()` posts waiting lines: a worker calls it before
 * its task ends.
 *
 * @param post takes finished lines, each with a newline at its end
 */
export function createWorkerLogger(
  settings: LoggerSettings,
  worker: string,
  post: (lines: string) => void,
): Logger {
  return build(settings, { worker }, new Batch(post));
}

function build(
  settings: LoggerSettings,
  base: Record<string, string>,
  stream: pino.DestinationStream,
): Logger {
  return pino(
    {
      level: settings.level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: bounded },
      serializers: { err: errorFields, msg: clipMessage },
    },
    stream,
  );
}

/** Returns fields with long texts cut and numbers rounded to 6 decimals, which is microseconds for seconds. */
function bounded(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const key in fields) {
    const value = fields[key];
    let short = value;
    if (typeof value === 'string') short = clip(value);
    else if (typeof value === 'number' && !Number.isInteger(value)) short = Math.round(value * 1e6) / 1e6;
    if (short === value) continue;
    copy ??= { ...fields };
    copy[key] = short;
  }
  return copy ?? fields;
}

function clip(text: string): string {
  return text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}...` : text;
}

/** Cuts a long message. pino's types allow any value as a message. */
function clipMessage(message: unknown): unknown {
  return typeof message === 'string' ? clip(message) : message;
}

/** Keeps only type, message, code, stack and cause of an error: other properties may contain headers or keys. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: clip(String(error)) };
  const { name: type, message, stack } = error;
  const fields: Record<string, unknown> = { type, message: clip(message) };
  if ('code' in error && typeof error.code === 'string') fields.code = error.code;
  if (stack !== undefined) fields.stack = clip(stack);
  if (error.cause instanceof Error) fields.cause = clip(`${error.cause.name}: ${error.cause.message}`);
  return fields;
}

class Batch {
  readonly #post: (lines: string) => void;
  readonly #flushLater = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  #lines = '';
  #scheduled = false;

  constructor(post: (lines: string) => void) {
    this.#post = post;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BATCH_CHARACTERS) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#flushLater);
    }
  }

  flush(done?: () => void): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#post(lines);
    done?.();
  }
}
