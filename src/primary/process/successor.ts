import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** The parent's end of a pipe of a child. */
type EndPipe = Readable & { unref(): void };
type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

interface SuccessorOptions {
  /** The command that started this process: Node, its options, the program and its arguments. */
  readonly command: readonly string[];
  /** Whether another process can read the same configuration: it is in a file. */
  readonly canStart: boolean;
  readonly env: ProcessEnvironment;
  /** Descriptor of standard output. */
  readonly stdout: number;
  readonly log: Logger;
}

/**
 * The shell starts the command in the background, writes its id, and ends. So the service manager adopts the
 * successor, and learns of its end even while this process drains. systemd supervises only its own children.
 */
const BACKGROUND_SCRIPT = '"$@" & echo $! >&3';
/** Descriptor of the pipe that has the successor's id, and closes when the successor ends. */
const END_FD = 3;

/** A successor that has not taken over yet. */
interface Attempt {
  /** Its process id in decimal, then a line break. Incomplete until the shell has written it. */
  pid: string;
  isStopped: boolean;
}

/** Starts the program on disk again, which takes over from this process: an upgrade in place. */
export class Successor {
  readonly #options: SuccessorOptions;
  #attempt: Attempt | null = null;

  constructor(options: SuccessorOptions) {
    this.#options = options;
  }

  /** Starts the successor, unless one is starting, or none can start. */
  start(): void {
    const { canStart, log } = this.#options;
    if (!canStart) {
      log.warn('no successor started: the configuration is not in a file');
      return;
    }
    if (this.#attempt !== null) {
      log.warn('no successor started: one starts already');
      return;
    }
    const attempt = { pid: '', isStopped: false };
    this.#attempt = attempt;
    log.info('successor starts');
    try {
      this.#spawn(attempt);
    } catch (error) {
      this.#fail(attempt, messageOf(error));
    }
  }

  /** Called when the successor has taken over. Its end no longer concerns this process. */
  succeeded(): void {
    this.#attempt = null;
  }

  /** Ends a successor that has not taken over. Without this process, it would start as a second proxy. */
  stop(): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    attempt.isStopped = true;
    this.#kill(attempt);
  }

  #spawn(attempt: Attempt): void {
    const { command, stdout } = this.#options;
    const takeover = command.includes('--takeover') ? [] : ['--takeover'];
    const shell = spawn('/bin/sh', ['-c', BACKGROUND_SCRIPT, 'sluice', ...command, ...takeover], {
      env: this.#environment(),
      stdio: ['ignore', stdout, 'inherit', 'pipe'],
    });
    shell.once('error', (error) => this.#fail(attempt, messageOf(error)));
    shell.unref();
    // Node makes no pipe if descriptors are short, and emits 'error'.
    const { stdio } = shell as { readonly stdio?: readonly unknown[] };
    const end = stdio?.[END_FD] as EndPipe | null | undefined;
    if (end === null || end === undefined) return;
    end.once('close', () =>
      this.#fail(attempt, 'it ended before it took over: standard error has the reason'),
    );
    end.setEncoding('utf8').on('data', (text: string) => {
      attempt.pid += text;
      if (attempt.isStopped) this.#kill(attempt);
    });
    end.on('error', () => undefined);
    // A successor outlives this process.
    end.unref();
  }

  #kill({ pid }: Attempt): void {
    if (!/^\d+\n$/.test(pid)) return;
    try {
      process.kill(Number(pid), 'SIGTERM');
      this.#options.log.info('starting successor stopped');
    } catch {
      // It has just ended.
    }
  }

  /** The watchdog of the service manager names this process, and the successor has another id. */
  #environment(): NodeJS.ProcessEnv {
    const { WATCHDOG_PID: _watched, ...env } = this.#options.env;
    return env;
  }

  #fail(attempt: Attempt, reason: string): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = null;
    this.#options.log.error({ reason }, 'no successor: this process continues');
  }
}
