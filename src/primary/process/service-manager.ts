import { execFile } from 'node:child_process';
import { messageOf } from '../../core/errors.ts';
import { sendUnixDatagram } from '../../sys/sockets/unix-datagram.ts';
import type { Logger } from '../../telemetry/logger.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A socket that takes nothing just now is tried again, so often and after so long. */
const TRIES = 20;
const AGAIN_MS = 250;
const TOOL_MS = 5000;

/**
 * Tells systemd how the process is (sd_notify(3)): that it is ready, reads its configuration, or stops, and, where the
 * unit has WatchdogSec, again and again that it lives. It sends datagrams itself where it can use system calls, and
 * asks `systemd-notify` where it cannot.
 */
export class ServiceManager {
  readonly #socket: string;
  readonly #log: Logger;
  readonly #watchdog: NodeJS.Timeout | undefined;
  /** What is to be sent, one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #complained = false;
  #unwell: () => string | null = () => null;
  #starving = false;

  private constructor(socket: string, watchdogMs: number, log: Logger) {
    this.#socket = socket;
    this.#log = log;
    if (watchdogMs > 0) {
      // Twice as often as is asked for.
      this.#watchdog = setInterval(() => this.#feed(), watchdogMs / 2).unref();
    }
  }

  /** The one that has started this process; null where there is none. */
  static of(env: Environment, log: Logger): ServiceManager | null {
    const { NOTIFY_SOCKET: socket } = env;
    if (socket === undefined || socket === '') return null;
    if (!socket.startsWith('/') && !socket.startsWith('@')) {
      log.warn({ socket }, 'NOTIFY_SOCKET is not understood: the service manager is told nothing');
      return null;
    }
    return new ServiceManager(socket, watchdogOf(env), log);
  }

  ready(): void {
    this.#say(['READY=1']);
  }

  reloading(): void {
    // systemd tells by the time whether the READY that follows belongs to it.
    this.#say(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): void {
    this.#say(['STOPPING=1']);
  }

  /** Stops feeding the watchdog while the callback gives a reason. */
  watch(unwell: () => string | null): void {
    this.#unwell = unwell;
  }

  /** Says no more that the process lives. */
  close(): void {
    clearInterval(this.#watchdog);
  }

  #feed(): void {
    const reason = this.#unwell();
    const starving = reason !== null;
    if (starving && !this.#starving) this.#log.error({ reason }, 'watchdog not fed');
    this.#starving = starving;
    if (!starving) this.#say(['WATCHDOG=1']);
  }

  #say(lines: readonly string[]): void {
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#send(lines);
        this.#complained = false;
      } catch (error) {
        if (!this.#complained)
          this.#log.warn({ reason: messageOf(error) }, 'the service manager is not told');
        this.#complained = true;
      }
    });
  }

  async #send(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.join('\n'));
    for (let tries = 1; ; tries++) {
      try {
        sendUnixDatagram(this.#socket, bytes);
        return;
      } catch (error) {
        if (!(error instanceof Error) || !('syscall' in error)) return askTool(lines);
        if (tries === TRIES) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    }
  }
}

/** How long the process may be silent, in milliseconds; 0 where nobody watches it (sd_watchdog_enabled(3)). */
function watchdogOf({ WATCHDOG_USEC: usec, WATCHDOG_PID: watched }: Environment): number {
  const ms = Number(usec) / 1000;
  if (!(ms >= 1 && ms < 2 ** 31)) return 0;
  // Under another Node the watched process is the one that has started this one.
  const ours = watched === undefined || [process.pid, process.ppid].includes(Number(watched));
  return ours ? ms : 0;
}

function askTool(lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...lines], { timeout: TOOL_MS }, (error) => {
      if (error === null) resolve();
      else reject(error instanceof Error ? error : new Error('systemd-notify failed'));
    });
  });
}
