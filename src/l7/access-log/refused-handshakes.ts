import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { LineWindow } from '../../telemetry/line-window.ts';
import { ACCESS, SPAN, type Journal } from '../../telemetry/journal/journal.ts';
import { handshakeOutcome } from '../../telemetry/journal/outcomes.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ResponseCut } from '../contract/http-reply.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';
import { askedOf, offeredField, type LoggedClient } from './request-fields.ts';
import { spanFacts } from './span-facts.ts';

/** Max lines of single handshakes per listener and second, over all workers. */
const MAX_LINES = 100;
const WINDOW_MS = 1000;

/** A handshake that did not become a session. */
interface RefusedHandshake {
  readonly head: RequestHead;
  readonly client: LoggedClient;
  readonly route: string;
  readonly cluster?: string | undefined;
  /** The label of the endpoint that was tried last. */
  readonly endpoint?: string | undefined;
  /** Endpoints that were asked; left out for none. */
  readonly attempts?: number;
  /** The status that the client got; 499 if the client had gone. */
  readonly status: number;
  readonly reason: HandshakeFailure;
  /** What has refused the client: the reason of a refusal by `access`, or the limit's name. */
  readonly cause?: string | undefined;
  /** The words that the client got, if the proxy refused. */
  readonly detail?: string | undefined;
  /** The reason why the answer was cut; null if it was not. */
  readonly cut: ResponseCut | null;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Counts the refused handshakes of one listener in one worker, and tells the journal. Any client can provoke access lines
 * of refused handshakes, so in each second only {@link MAX_LINES} handshakes of all workers get lines of their own. One
 * line counts the others.
 */
export class RefusedHandshakes extends Timed {
  readonly #journal: Journal;
  readonly #wheel: TimerWheel;
  readonly #listener: string;
  readonly #window: LineWindow;
  readonly #count: (reason: HandshakeFailure) => void;
  readonly #clock: () => number;
  /** Whether a deadline is armed for the line that counts the others. */
  #isWaiting = false;

  /**
   * @param window memory of a {@link LineWindow} that all workers share
   * @param clock milliseconds since 1970, the same in all workers
   */
  constructor(
    journal: Journal,
    wheel: TimerWheel,
    listener: string,
    window: SharedArrayBuffer,
    count: (reason: HandshakeFailure) => void,
    clock: () => number = Date.now,
  ) {
    super();
    this.#journal = journal;
    this.#wheel = wheel;
    this.#listener = listener;
    this.#window = new LineWindow(window, MAX_LINES);
    this.#count = count;
    this.#clock = clock;
  }

  /** Counts a handshake, and tells the journal. It has no access line if the limit is reached. */
  refused(handshake: RefusedHandshake): void {
    this.#count(handshake.reason);
    const seconds = (performance.now() - handshake.startedAt) / 1000;
    const outcome = handshakeOutcome(handshake.reason, handshake.status);
    const { trace } = handshake.client;
    const isSpan = trace !== null && (trace.isSampled || isOwnFailure(handshake));
    let sinks = this.#journal.sinksOf(outcome, seconds, isSpan ? trace : null);
    if ((sinks & ACCESS) !== 0 && !this.#window.take(this.#second())) {
      sinks &= ~ACCESS;
      if (!this.#isWaiting) this.#wait();
    }
    if (sinks !== 0) this.#tell(sinks, handshake, seconds);
  }

  override expire(): void {
    this.#isWaiting = false;
    const count = this.#window.collect(this.#second());
    if (count === null) this.#wait();
    else this.#writeCount(count);
  }

  /** Writes the line that counts the others now, if there are others. */
  flush(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#wheel.disarm(this);
    this.#writeCount(this.#window.collectAll());
  }

  #second(): number {
    return Math.floor(this.#clock() / WINDOW_MS);
  }

  /** Waits for the end of the second, to count the suppressed lines. */
  #wait(): void {
    this.#isWaiting = true;
    this.#wheel.arm(this, WINDOW_MS - (this.#clock() % WINDOW_MS));
  }

  #writeCount(count: number): void {
    if (count > 0) this.#journal.handshakesRefused(this.#listener, count);
  }

  #tell(sinks: number, handshake: RefusedHandshake, seconds: number): void {
    const { head, client, route, cluster, endpoint, status, reason, cause, detail, cut } = handshake;
    this.#journal.handshakeRefused(sinks, {
      listener: this.#listener,
      route,
      cluster,
      endpoint,
      asked: askedOf(head, client, this.#journal.needsReferer),
      subprotocol: offeredField(head),
      status,
      reason,
      cause,
      detail,
      cut: cut ?? undefined,
      seconds,
      span: (sinks & SPAN) === 0 ? undefined : spanFacts(handshake, handshake.attempts ?? 0, seconds),
    });
  }
}

/**
 * Whether a handshake has a span although head sampling has not chosen it. An endpoint's 4xx and a client that goes are no
 * failures of the proxy.
 */
function isOwnFailure({ reason, status }: RefusedHandshake): boolean {
  return status >= 500 || (reason !== 'refused' && reason !== 'client_gone');
}
