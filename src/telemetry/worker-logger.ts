import { boundedFields, clip, errorFields } from './line-fields.ts';
import { LineBatch } from './line-batch.ts';
import type { Logger, LoggerSettings } from './logger.ts';

/** Ranks of the levels, as in pino. */
const RANKS: Readonly<Record<string, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Infinity,
};

/** A logger whose lines are posted in batches. */
export interface WorkerLogger extends Logger {
  /** Adds a complete line with its newline, after the logger's own lines. */
  add(line: string): void;
  /** Posts the waiting lines. A worker calls it before its task ends. */
  flush(): void;
}

/**
 * Creates a worker's logger, which writes the same lines as pino. pino itself would cost 2 MB per thread: its
 * 30 modules write files and start threads, which a worker does not need. Lines go to the primary in batches.
 *
 * @param post receives complete lines, each with its newline
 */
export function createWorkerLogger(
  { level }: LoggerSettings,
  worker: string,
  post: (lines: string) => void,
): WorkerLogger {
  return new LineWriter(level, worker, post);
}

class LineWriter implements WorkerLogger {
  level: string;
  readonly debug = this.#writer('debug');
  readonly info = this.#writer('info');
  readonly warn = this.#writer('warn');
  readonly error = this.#writer('error');
  readonly fatal = this.#writer('fatal');
  /** The part after the time. */
  readonly #worker: string;
  readonly #batch: LineBatch;

  constructor(level: string, worker: string, post: (lines: string) => void) {
    this.level = level;
    this.#worker = `,"worker":${JSON.stringify(worker)}`;
    this.#batch = new LineBatch(post);
  }

  isLevelEnabled(level: string): boolean {
    return RANKS[level]! >= RANKS[this.level]!;
  }

  add(line: string): void {
    this.#batch.add(line);
  }

  flush(): void {
    this.#batch.flush();
  }

  #writer(level: string): Logger['info'] {
    const start = `{"level":"${level}","time":"`;
    return (first: object | string, message?: string): void => {
      if (!this.isLevelEnabled(level)) return;
      const fields = typeof first === 'string' ? '' : fieldsText(first);
      const text = JSON.stringify(clip(typeof first === 'string' ? first : message!));
      this.#batch.add(`${start}${new Date().toISOString()}"${this.#worker}${fields},"msg":${text}}\n`);
    };
  }
}

/** Returns fields as the middle of a JSON object, each after a comma. */
function fieldsText(fields: object): string {
  let bounded = boundedFields(fields as Record<string, unknown>);
  if (bounded.err !== undefined) bounded = { ...bounded, err: errorFields(bounded.err) };
  try {
    const text = JSON.stringify(bounded);
    return text === '{}' ? '' : `,${text.slice(1, -1)}`;
  } catch {
    // A line without fields is better than no line. sluice itself writes no circular values.
    return ',"fields":"not serializable"';
  }
}
