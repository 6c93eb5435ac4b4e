/** Switches a terminal to full-screen mode, and restores it however the program ends or stops. */
import { constants } from 'node:os';
import type { ReadStream, WriteStream } from 'node:tty';
import { KeyReader, type Key } from './keys.ts';

/** Alternate screen, no cursor, no wrap: a character in the last corner must not scroll. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';
/** Max time for the rest of an escape sequence on a slow line. */
const ESCAPE_MS = 50;
const ENDING_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Size of a terminal that reports none, such as a serial line. */
const DEFAULT_SIZE = { width: 80, height: 24 };

interface TerminalOwner {
  readonly onKey: (key: Key) => void;
  /** Called when the screen has a new size or is empty: everything must be drawn. */
  readonly onRedraw: () => void;
  /** Called on a signal or when the terminal closes. The argument is the exit status of the process. */
  readonly onEnd: (status: number) => void;
}

export class Terminal {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #owner: TerminalOwner;
  readonly #keys = new KeyReader();
  readonly #undo: (() => void)[] = [];
  #escapeTimer: NodeJS.Timeout | null = null;
  #taken = false;
  #closed = false;

  /**
   * Switches to full-screen mode.
   *
   * @param input ignored if it is not a terminal: then only signals end the program
   */
  constructor(input: ReadStream, output: WriteStream, owner: TerminalOwner) {
    this.#input = input;
    this.#output = output;
    this.#owner = owner;
    this.#listen();
    this.#take();
  }

  get size(): { readonly width: number; readonly height: number } {
    const { columns, rows } = this.#output;
    return { width: columns || DEFAULT_SIZE.width, height: rows || DEFAULT_SIZE.height };
  }

  write(text: string): void {
    if (text !== '' && this.#taken) this.#output.write(text);
  }

  /** Restores the terminal for good. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#restore();
    for (const undo of this.#undo.splice(0)) undo();
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#input.pause();
  }

  /**
   * Restores the terminal and stops the job, as Ctrl-Z does. Full-screen mode returns when the job continues.
   */
  suspend(): void {
    // 0 stops the whole process group: under npx or a second Node, the shell waits for the outer process.
    this.#stop(0);
  }

  #stop(target: number): void {
    if (!this.#taken) return;
    this.#restore();
    process.off('SIGTSTP', this.#onStop);
    // The process stops inside this call. Without a shell to resume it, the kernel drops the signal.
    process.kill(target, 'SIGTSTP');
    setImmediate(() => {
      if (this.#closed) return;
      process.off('SIGTSTP', this.#onStop);
      process.on('SIGTSTP', this.#onStop);
      this.#take();
      this.#owner.onRedraw();
    });
  }

  readonly #onStop = (): void => this.#stop(process.pid);

  /** Takes the terminal again after SIGCONT: another program may have changed it in the meantime. */
  readonly #onContinue = (): void => {
    if (!this.#taken) return;
    this.#restore();
    this.#take();
    this.#owner.onRedraw();
  };

  #listen(): void {
    for (const signal of ENDING_SIGNALS) {
      this.#on(process, signal, () => this.#owner.onEnd(128 + constants.signals[signal]));
    }
    this.#on(process, 'SIGINT', () => this.#owner.onEnd(0));
    this.#on(process, 'SIGTSTP', this.#onStop);
    this.#on(process, 'SIGCONT', this.#onContinue);
    // Runs before Node prints the stack trace, which would be lost with the alternate screen.
    this.#on(process, 'uncaughtExceptionMonitor', () => this.close());
    this.#on(process, 'exit', () => this.close());
    this.#on(this.#output, 'resize', () => this.#owner.onRedraw());
    // EIO or EPIPE: the terminal is closed. Errors may follow the end, so these handlers stay.
    this.#output.on('error', () => this.#owner.onEnd(0));
    this.#input.on('error', () => this.#owner.onEnd(0));
    if (!this.#input.isTTY) return;
    this.#input.setEncoding('utf8');
    this.#on(this.#input, 'data', (text: string) => this.#read(text));
    this.#on(this.#input, 'end', () => this.#owner.onEnd(0));
  }

  #on(emitter: NodeJS.EventEmitter, event: string, listener: (...args: never[]) => void): void {
    emitter.on(event, listener as (...args: unknown[]) => void);
    this.#undo.push(() => emitter.off(event, listener as (...args: unknown[]) => void));
  }

  #take(): void {
    this.#taken = true;
    this.#setRaw(true);
    this.#output.write(ENTER);
  }

  #restore(): void {
    if (!this.#taken) return;
    this.#output.write(LEAVE);
    this.#setRaw(false);
    this.#taken = false;
  }

  #setRaw(raw: boolean): void {
    if (!this.#input.isTTY) return;
    try {
      this.#input.setRawMode(raw);
    } catch {
      // EIO: the terminal is closed.
    }
  }

  #read(text: string): void {
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#escapeTimer = null;
    for (const key of this.#keys.push(text)) this.#press(key);
    if (!this.#keys.waits || this.#closed) return;
    this.#escapeTimer = setTimeout(() => {
      for (const key of this.#keys.flush()) this.#press(key);
    }, ESCAPE_MS);
  }

  #press(key: Key): void {
    if (!this.#closed) this.#owner.onKey(key);
  }
}
