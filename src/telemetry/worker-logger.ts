import { boundedFields, clip, errorFields } from './line-fields.ts';
import { LineBatch } from './line-batch.ts';
import type { Logger, LoggerSettings } from './logger.ts';

/** The ranks of levels, as pino has them. */
const RANKS: Readonly<Record<string, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Infinity,
};

/** A logger whose lines wait to be posted. */
export interface WorkerLogger extends Logger {
  /** Adds a finished line, with a newline at its end, behind the lines of the logger. */
  add(line: string): void;
  /** Posts the waiting lines. A worker calls it before its task ends. */
  flush(): void;
}

/**
 * Creates a worker's logger, which writes the lines that pino would write. pino itself would cost each thread 2 MB: its 30
 * modules write to files and start threads, which a worker does not need. The lines go to the primary in batches.
 *
 * @param post takes finished lines, each with a newline at its end
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
  /** What follows the time. */
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

/** Writes fields as the middle of a JSON object, each with a comma before it. */
function fieldsText(fields: object): string {
  let bounded = boundedFields(fields as Record<string, unknown>);
  if (bounded.err !== undefined) bounded = { ...bounded, err: errorFields(bounded.err) };
  try {
    const text = JSON.stringify(bounded);
    return text === '{}' ? '' : `,${text.slice(1, -1)}`;
  } catch {
    // A line without fields says more than none. Nothing that sluice writes is circular.
    return ',"fields":"not serializable"';
  }
}
