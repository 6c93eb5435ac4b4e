import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { LineWindow } from '../../telemetry/line-window.ts';
import { ACCESS, SPAN, type Journal } from '../../telemetry/journal/journal.ts';
import { handshakeOutcome } from '../../telemetry/journal/outcomes.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ResponseCut } from '../contract/http-reply.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';
import { requestFactsOf, offeredField, type LoggedClient } from './request-fields.ts';
import { spanFacts } from './span-facts.ts';

/** Max lines for single handshakes per listener and second, across all workers. */
const MAX_LINES = 100;
const WINDOW_MS = 1000;

/** A handshake that did not become a session. */
interface RefusedHandshake {
  readonly head: RequestHead;
  readonly client: LoggedClient;
  readonly route: string;
  readonly cluster?: string | undefined;
  /** Label of the last endpoint tried. */
  readonly endpoint?: string | undefined;
  /** Number of endpoints tried, missing for none. */
  readonly attempts?: number;
  /** Status of the answer, 499 if the client had disconnected. */
  readonly status: number;
  readonly reason: HandshakeFailure;
  /** The rule that refused the client: the reason of an `access` refusal, or the name of the limit. */
  readonly cause?: string | undefined;
  /** The text that the client got, if sluice refused. */
  readonly detail?: string | undefined;
  /** Why the answer was cut, or null. */
  readonly cut: ResponseCut | null;
  /** Arrival time of the request, by `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Counts the refused handshakes of one listener in one worker, and reports them to the journal. Any client
 * can cause access lines of refused handshakes. Therefore all workers together write at most {@link
 * MAX_LINES} lines per second, and one more line counts the remaining handshakes.
 */
export class RefusedHandshakes extends Timed {
  readonly #journal: Journal;
  readonly #wheel: TimerWheel;
  readonly #listener: string;
  readonly #window: LineWindow;
  readonly #count: (reason: HandshakeFailure) => void;
  readonly #clock: () => number;
  /** Whether the line with the count of suppressed lines is scheduled. */
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

  /** Counts and reports a handshake. Its access line is suppressed if the limit is reached. */
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
    if (sinks !== 0) this.#report(sinks, handshake, seconds);
  }

  override expire(): void {
    this.#isWaiting = false;
    const count = this.#window.collect(this.#second());
    if (count === null) this.#wait();
    else this.#writeCount(count);
  }

  /** Writes the count of suppressed lines now, if a line is due. */
  flush(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#wheel.disarm(this);
    this.#writeCount(this.#window.collectAll());
  }

  #second(): number {
    return Math.floor(this.#clock() / WINDOW_MS);
  }

  /** Waits for the end of the second, then counts the suppressed lines. */
  #wait(): void {
    this.#isWaiting = true;
    this.#wheel.arm(this, WINDOW_MS - (this.#clock() % WINDOW_MS));
  }

  #writeCount(count: number): void {
    if (count > 0) this.#journal.handshakesRefused(this.#listener, count);
  }

  #report(sinks: number, handshake: RefusedHandshake, seconds: number): void {
    const { head, client, route, cluster, endpoint, status, reason, cause, detail, cut } = handshake;
    this.#journal.handshakeRefused(sinks, {
      listener: this.#listener,
      route,
      cluster,
      endpoint,
      requestFacts: requestFactsOf(head, client, this.#journal.needsReferer),
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
 * Whether a handshake has a span even if head sampling did not choose it. An endpoint's 4xx and a client that
 * disconnects are not failures of sluice.
 */
function isOwnFailure({ reason, status }: RefusedHandshake): boolean {
  return status >= 500 || (reason !== 'refused' && reason !== 'client_gone');
}
