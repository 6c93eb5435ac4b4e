import { Timed, type TimerWheel } from '../../core/timer-wheel.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import type { ResponseCut } from '../http-reply.ts';
import type { HandshakeFailure } from '../listener-stats.ts';
import { offeredField, requestFields, type LoggedClient } from './request-fields.ts';

/** Max lines of single handshakes in a second for each listener, over all workers. */
const MAX_LINES = 100;
const WINDOW_MS = 1000;

/** A handshake that did not become a session. */
interface RefusedHandshake {
  readonly head: RequestHead;
  readonly client: LoggedClient;
  readonly route: string;
  readonly cluster?: string | undefined;
  /** The label of the endpoint that was asked last. */
  readonly endpoint?: string | undefined;
  /** The status that the client got; 499 if it had gone. */
  readonly status: number;
  readonly reason: HandshakeFailure;
  /** In words, if the proxy refused. */
  readonly detail?: string | undefined;
  /** Why the answer was cut; null if it was not. */
  readonly cut: ResponseCut | null;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Counts the refused handshakes of one listener in one worker and writes their access lines. Anybody can provoke them,
 * so in each second only a worker's share of {@link MAX_LINES} get lines of their own; one line counts the others.
 */
export class RefusedHandshakes extends Timed {
  readonly #access: Logger | null;
  readonly #wheel: TimerWheel;
  readonly #listener: string;
  readonly #count: (reason: HandshakeFailure) => void;
  readonly #maxLines: number;
  /** When the second ends in which {@link #written} lines were written, by the wheel's clock. */
  #windowEnd = -Infinity;
  #written = 0;
  #suppressed = 0;

  /** @param workers that share the lines */
  constructor(
    access: Logger | null,
    wheel: TimerWheel,
    listener: string,
    workers: number,
    count: (reason: HandshakeFailure) => void,
  ) {
    super();
    this.#access = access;
    this.#wheel = wheel;
    this.#listener = listener;
    this.#count = count;
    this.#maxLines = Math.max(1, Math.floor(MAX_LINES / workers));
  }

  /** Whether it was made for these settings. */
  fits(access: Logger | null, workers: number): boolean {
    return access === this.#access && this.#maxLines === Math.max(1, Math.floor(MAX_LINES / workers));
  }

  refused(handshake: RefusedHandshake): void {
    this.#count(handshake.reason);
    if (this.#access !== null && this.#mayWrite()) this.#write(this.#access, handshake);
  }

  override expire(): void {
    this.flush();
  }

  /** Writes the line that counts the others, if there are any. */
  flush(): void {
    if (this.#suppressed === 0) return;
    this.#wheel.disarm(this);
    this.#access?.info({ listener: this.#listener, count: this.#suppressed }, 'handshakes refused');
    this.#suppressed = 0;
  }

  #mayWrite(): boolean {
    const { now } = this.#wheel;
    if (now >= this.#windowEnd) {
      this.flush();
      this.#windowEnd = now + WINDOW_MS;
      this.#written = 0;
    }
    if (this.#written < this.#maxLines) {
      this.#written++;
      return true;
    }
    if (this.#suppressed++ === 0) this.#wheel.arm(this, this.#windowEnd - now);
    return false;
  }

  #write(access: Logger, handshake: RefusedHandshake): void {
    const { head, client, route, cluster, endpoint, status, reason, detail, cut, startedAt } = handshake;
    const { origin, userAgent, ...fields } = requestFields(head, client);
    access.info(
      {
        listener: this.#listener,
        route,
        cluster,
        endpoint,
        ...fields,
        subprotocol: offeredField(head),
        origin,
        userAgent,
        status,
        reason,
        detail,
        cut: cut ?? undefined,
        seconds: (performance.now() - startedAt) / 1000,
      },
      'handshake refused',
    );
  }
}
