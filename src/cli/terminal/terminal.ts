/** Takes a terminal for a full screen, and gives it back however the program ends or stops. */
import { constants } from 'node:os';
import type { ReadStream, WriteStream } from 'node:tty';
import { KeyReader, type Key } from './keys.ts';

/** Alternate screen, no cursor, and no wrap: a character in the last corner must not scroll. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';
/** An escape sequence comes in one piece, or within this time over a slow line. */
const ESCAPE_MS = 50;
const ENDING_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** A terminal without a size, such as a serial line. */
const DEFAULT_SIZE = { width: 80, height: 24 };

interface TerminalOwner {
  readonly onKey: (key: Key) => void;
  /** The screen has another size, or is empty: everything must be drawn. */
  readonly onRedraw: () => void;
  /** A signal, or the end of the terminal. The status is that of the process. */
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
   * Takes the terminal.
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

  /** Gives the terminal back, for good. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveBack();
    for (const undo of this.#undo.splice(0)) undo();
    if (this.#escapeTimer !== null) clearTimeout(this.#escapeTimer);
    this.#input.pause();
  }

  /** Gives the terminal back and stops the job, as Ctrl-Z does. Takes the terminal again when the job goes on. */
  suspend(): void {
    // A negative or zero id is the group: with npx or another Node in front, the shell waits for those.
    this.#stop(0);
  }

  #stop(target: number): void {
    if (!this.#taken) return;
    this.#giveBack();
    process.off('SIGTSTP', this.#onStop);
    // The process stops in here. Without a shell that could let it go on, the kernel drops the signal.
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

  /** Another program may have changed the terminal while this one was stopped. */
  readonly #onContinue = (): void => {
    if (!this.#taken) return;
    this.#giveBack();
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
    // Before Node writes the trace of an error, which would be lost with the alternate screen.
    this.#on(process, 'uncaughtExceptionMonitor', () => this.close());
    this.#on(process, 'exit', () => this.close());
    this.#on(this.#output, 'resize', () => this.#owner.onRedraw());
    // EIO or EPIPE: the terminal has gone. Errors may follow the end, so these handlers stay.
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

  #giveBack(): void {
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
      // EIO: the terminal has gone.
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
