import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';

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
 * The shell starts the command in the background and ends. So the service manager adopts the successor, and
 * learns of its end even while this process drains. systemd supervises only its own children.
 */
const IN_BACKGROUND = '"$@" &';
/** Descriptor of the pipe that closes when the successor ends. */
const END = 3;

/** Starts the program on disk again, which takes over from this process: an upgrade in place. */
export class Successor {
  readonly #options: SuccessorOptions;
  #runs = false;

  constructor(options: SuccessorOptions) {
    this.#options = options;
  }

  /** Starts the successor, unless one is starting, or none can start. */
  start(): void {
    const { command, canStart, stdout, log } = this.#options;
    if (!canStart) {
      log.warn('no successor started: the configuration is not in a file');
      return;
    }
    if (this.#runs) {
      log.warn('no successor started: one starts already');
      return;
    }
    this.#runs = true;
    log.info('successor starts');
    const takeover = command.includes('--takeover') ? [] : ['--takeover'];
    const shell = spawn('/bin/sh', ['-c', IN_BACKGROUND, 'sluice', ...command, ...takeover], {
      env: this.#environment(),
      stdio: ['ignore', stdout, 'inherit', 'pipe'],
    });
    shell.once('error', (error) => this.#fail(messageOf(error)));
    const end = shell.stdio[END] as Readable & { unref(): void };
    end.once('close', () => this.#fail('it ended before it took over: standard error has the reason'));
    end.resume().on('error', () => undefined);
    // A successor outlives this process.
    end.unref();
    shell.unref();
  }

  /** Called when the successor has taken over. Its end no longer concerns this process. */
  succeeded(): void {
    this.#runs = false;
  }

  /** The watchdog of the service manager names this process, and the successor has another id. */
  #environment(): NodeJS.ProcessEnv {
    const { WATCHDOG_PID: _watched, ...env } = this.#options.env;
    return env;
  }

  #fail(reason: string): void {
    if (!this.#runs) return;
    this.#runs = false;
    this.#options.log.error({ reason }, 'no successor: this process continues');
  }
}
