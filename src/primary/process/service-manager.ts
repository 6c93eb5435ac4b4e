import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../core/errors.ts';
import { sendUnixDatagram } from '../../sys/sockets/unix-datagram.ts';
import type { Logger } from '../../telemetry/logger.ts';

type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

/** Max attempts to send a datagram: the socket may be full for a moment. */
const MAX_ATTEMPTS = 20;
const RETRY_MS = 250;
const TOOL_TIMEOUT_MS = 5000;

/**
 * Reports the state of the process to systemd (sd_notify(3)): ready, reloading, stopping. If the unit has
 * WatchdogSec, also feeds the watchdog twice per period. Sends datagrams by system calls, or by
 * `systemd-notify` without koffi.
 */
export class ServiceManager {
  readonly #socket: string;
  readonly #log: Logger;
  readonly #watchdog: NodeJS.Timeout | undefined;
  /** Settles when all messages so far are sent. Messages are sent one at a time. */
  #queue: Promise<void> = Promise.resolve();
  #complained = false;
  #unwell: () => string | null = () => null;
  #starving = false;

  private constructor(socket: string, watchdogMs: number, log: Logger) {
    this.#socket = socket;
    this.#log = log;
    if (watchdogMs > 0) {
      this.#watchdog = setInterval(() => this.#feed(), watchdogMs / 2).unref();
    }
  }

  /** Returns the service manager that started this process, or null. */
  static of(env: ProcessEnvironment, log: Logger): ServiceManager | null {
    const { NOTIFY_SOCKET: socket } = env;
    if (socket === undefined || socket === '') return null;
    if (!socket.startsWith('/') && !socket.startsWith('@')) {
      log.warn({ socket }, 'NOTIFY_SOCKET is invalid: service manager not notified');
      return null;
    }
    return new ServiceManager(socket, watchdogOf(env), log);
  }

  ready(): void {
    this.#notify(['READY=1']);
  }

  reloading(): void {
    // With this timestamp, systemd finds the READY=1 that belongs to the reload.
    this.#notify(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): void {
    this.#notify(['STOPPING=1']);
  }

  /**
   * Makes another process the main process of the service. systemd follows only a process of the same control
   * group. Otherwise this process remains the main one, and the service ends with it.
   */
  handOver(pid: number): void {
    if (!sharesGroup(pid)) {
      this.#log.warn({ pid }, 'successor runs outside of the service: the service ends with this process');
      return;
    }
    clearInterval(this.#watchdog);
    // The successor feeds the watchdog within half a period from now.
    this.#notify([`MAINPID=${pid}`, 'WATCHDOG=1']);
  }

  /** Stops feeding the watchdog while the callback returns a reason. */
  watch(unwell: () => string | null): void {
    this.#unwell = unwell;
  }

  /** Stops feeding the watchdog. */
  close(): void {
    clearInterval(this.#watchdog);
  }

  #feed(): void {
    const reason = this.#unwell();
    const starving = reason !== null;
    if (starving && !this.#starving) this.#log.error({ reason }, 'watchdog not fed');
    this.#starving = starving;
    if (!starving) this.#notify(['WATCHDOG=1']);
  }

  #notify(lines: readonly string[]): void {
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#send(lines);
        this.#complained = false;
      } catch (error) {
        if (!this.#complained) this.#log.warn({ reason: messageOf(error) }, 'service manager not notified');
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
        if (!(error instanceof Error) || !('syscall' in error)) return notifyByTool(lines);
        if (tries === MAX_ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }
}

/**
 * Returns the watchdog period in milliseconds; 0 if systemd does not watch the process
 * (sd_watchdog_enabled(3)).
 */
function watchdogOf({ WATCHDOG_USEC: usec, WATCHDOG_PID: watched }: ProcessEnvironment): number {
  const ms = Number(usec) / 1000;
  if (!(ms >= 1 && ms < 2 ** 31)) return 0;
  // If another Node process started this one, systemd watches that process.
  const ours = watched === undefined || [process.pid, process.ppid].includes(Number(watched));
  return ours ? ms : 0;
}

/** Whether a process is in this process's control group. False if the kernel does not say so. */
function sharesGroup(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8') === readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return false;
  }
}

function notifyByTool(lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', [...lines], { timeout: TOOL_TIMEOUT_MS }, (error) => {
      if (error === null) resolve();
      else reject(error instanceof Error ? error : new Error('systemd-notify failed'));
    });
  });
}
