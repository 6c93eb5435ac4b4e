import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { StartError, messageOf } from '../core/errors.ts';
import { printable, printableOnceParsed } from './printable.ts';

type LogFormat = 'json' | 'pretty';

/** Max log text that waits for a slow reader. Above it, lines are dropped and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Mode of a log file: its lines name clients, so others must not read it. */
const FILE_MODE = 0o640;

/** The log output of all threads. It takes finished JSON lines, and writes them as they are or pretty. */
export class LogOutput {
  readonly #stream: ReturnType<typeof pino.destination>;
  readonly #pretty: ((line: string) => string) | null;
  /** Path of the log file; null if the output is a descriptor. */
  readonly #file: string | null;
  #dropped = 0;
  #broken = false;
  #closing: Promise<boolean> | null = null;

  /**
   * @param to path of a file to append to, or a descriptor; standard output by default
   * @param maxWaitingBytes max bytes that wait for a slow reader
   * @throws StartError if the file cannot be written
   */
  constructor(format: LogFormat, to: string | number = 1, maxWaitingBytes = MAX_WAITING_BYTES) {
    this.#file = typeof to === 'string' ? to : null;
    if (this.#file !== null) tryToOpen(this.#file);
    this.#pretty = format === 'pretty' ? prettifier(to) : null;
    this.#stream = pino.destination({
      dest: to,
      sync: false,
      append: true,
      mode: FILE_MODE,
      maxLength: maxWaitingBytes,
    });
    this.#stream.on('drop', (text: string) => this.#drop(text));
    // An output that cannot be written must not end the process: a full disk may get room again, and a reader that is gone
    // does not come back.
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') this.#broken = true;
    });
  }

  /** Number of lines lost because the output was not read fast enough, or not at all. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes finished JSON lines, each ending in a newline. */
  write(lines: string): void {
    if (this.#broken || this.#closing !== null) {
      this.#drop(lines);
      return;
    }
    this.#stream.write(this.#pretty === null ? printable(lines) : prettified(lines, this.#pretty));
  }

  /** Writes text for people that is not a log line. */
  writeText(text: string): void {
    if (!this.#broken && this.#closing === null) this.#stream.write(text);
  }

  /**
   * Opens the file at its path again, after log rotation has moved the old file.
   *
   * @returns the path; null if the output is not a file
   * @throws StartError if the file cannot be opened: the output then stays in the old file
   */
  reopen(): string | null {
    if (this.#file === null || this.#closing !== null) return null;
    tryToOpen(this.#file);
    this.#stream.reopen();
    return this.#file;
  }

  /**
   * Writes the waiting text and takes no more.
   *
   * @returns whether all text was written in time; if not, an ordinary exit may hang on it
   */
  close(timeoutMs: number): Promise<boolean> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#broken) {
        this.#stream.destroy();
        resolve(true);
        return;
      }
      const timer = setTimeout(() => finish(false), timeoutMs);
      const finish = (written: boolean): void => {
        clearTimeout(timer);
        if (!written) this.#stream.destroy();
        resolve(written);
      };
      this.#stream.once('close', () => finish(true));
      this.#stream.once('error', () => finish(this.#broken));
      this.#stream.end();
    });
    return this.#closing;
  }

  #drop(text: string): void {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#dropped++;
  }
}

/** Opens a log file now: the stream would report an error only later, and could not try again. */
function tryToOpen(file: string): void {
  try {
    closeSync(openSync(file, 'a', FILE_MODE));
  } catch (error) {
    throw new StartError(`the log file ${file} (log.file) cannot be opened: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function prettifier(to: string | number): (line: string) => string {
  const colorize = typeof to === 'number' && isatty(to) && !process.env.NO_COLOR;
  return pretty.prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    ignore: 'worker',
    messageFormat: '{if worker}[{worker}] {end}{msg}',
  });
}

function prettified(lines: string, format: (line: string) => string): string {
  let text = '';
  for (const line of printableOnceParsed(lines).split('\n')) if (line !== '') text += format(line);
  return text;
}
