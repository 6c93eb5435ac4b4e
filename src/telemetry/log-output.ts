import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { StartError, messageOf } from '../core/errors.ts';
import { printable, printableOnceParsed } from './printable.ts';

type LogFormat = 'json' | 'pretty';

/** Log text that waits for a slow reader of the output; above it lines are dropped and counted. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/** Of a log file: its lines name clients. */
const FILE_MODE = 0o640;

/** Where the log lines of all threads go: finished JSON lines come in, and leave as they are or made pretty. */
export class LogOutput {
  readonly #stream: ReturnType<typeof pino.destination>;
  readonly #pretty: ((line: string) => string) | null;
  /** The file that it writes to; null for a descriptor that it was given. */
  readonly #file: string | null;
  #dropped = 0;
  #broken = false;
  #closing: Promise<boolean> | null = null;

  /**
   * @param to - a file, which is appended to, or a descriptor; standard output where nothing else is said
   * @param mostWaitingBytes - how much may wait for a slow reader
   * @throws StartError where the file cannot be written
   */
  constructor(format: LogFormat, to: string | number = 1, mostWaitingBytes = MOST_WAITING_BYTES) {
    this.#file = typeof to === 'string' ? to : null;
    if (this.#file !== null) tryToOpen(this.#file);
    this.#pretty = format === 'pretty' ? prettifier(to) : null;
    this.#stream = pino.destination({
      dest: to,
      sync: false,
      append: true,
      mode: FILE_MODE,
      maxLength: mostWaitingBytes,
    });
    this.#stream.on('drop', (text: string) => this.#drop(text));
    // A log that cannot be written must not end the process: a full disk may have room again, a reader that
    // went away does not come back.
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') this.#broken = true;
    });
  }

  /** Lines lost because the output was not read fast enough, or not at all. */
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

  /** Writes text for a person that is no log line. */
  writeText(text: string): void {
    if (!this.#broken && this.#closing === null) this.#stream.write(text);
  }

  /**
   * Goes on in a new file of the same name, for whoever has moved the old one away.
   *
   * @returns the file; null where it writes to none
   * @throws StartError where it cannot be opened: then it goes on in the old one
   */
  reopen(): string | null {
    if (this.#file === null || this.#closing !== null) return null;
    tryToOpen(this.#file);
    this.#stream.reopen();
    return this.#file;
  }

  /**
   * Writes what waits and takes no more.
   *
   * @returns whether all of it could be written in time; if not, an ordinary exit may hang on it
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

/** The stream would only say so later, and could not be told to try again. */
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
