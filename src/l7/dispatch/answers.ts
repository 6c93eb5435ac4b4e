import type { AccessRefusal } from '../../access/access-check.ts';
import { SPAN, type Journal } from '../../telemetry/journal/journal.ts';
import { requestOutcome } from '../../telemetry/journal/outcomes.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { requestFactsOf, methodField } from '../access-log/request-fields.ts';
import { spanFacts } from '../access-log/span-facts.ts';
import type { EngineRefusal } from '../contract/engine.ts';
import type { Exchange } from '../contract/exchange.ts';
import { CLIENT_GONE, type HeaderList } from '../contract/http-reply.ts';
import type {
  HandshakeFailure,
  ListenerStats,
  RequestRefusal,
  RequestStats,
} from '../contract/listener-stats.ts';
import { sendOwn, sendRefusal } from '../contract/own-refusal.ts';
import { closesUnread } from '../contract/unread-body.ts';

/** Fields of an access line that only routes to clusters have. */
interface Answerer {
  readonly cluster: string;
  readonly endpoint: Endpoint | null;
}

/** How a request ended, apart from its status. */
interface RequestEnd {
  /** Null if no endpoint was needed. */
  readonly by?: Answerer | null;
  /** Number of endpoints tried. */
  readonly attempts?: number;
  /** The reason label of a refused request's counter. */
  readonly refusal?: RequestRefusal | null;
  /** Why sluice itself answered. Defaults to `refusal`. */
  readonly reason?: HandshakeFailure | RequestRefusal | null;
  /** As in `RefusedHandshake`. */
  readonly cause?: string;
  /** The text that the client got. */
  readonly detail?: string;
}

/** Statuses of refusals that close the connection, because the start of the next request is unknown. */
const CLOSING: ReadonlySet<number> = new Set([400, 405]);

/** The counters and logs for one route's answers. */
interface AnswerContext {
  readonly stats: RequestStats;
  readonly listenerStats: ListenerStats;
  readonly journal: Journal;
  readonly handshakes: RefusedHandshakes;
  readonly listener: string;
  readonly route: string;
}

/** Answers requests of one route that need no endpoint. Counts and logs all answers of the route. */
export class Answers {
  readonly #context: AnswerContext;
  /** The reason label of handshakes that are answered like requests. Null for plain requests. */
  readonly #failure: HandshakeFailure | null;

  constructor(context: AnswerContext, failure: HandshakeFailure | null = null) {
    this.#context = context;
    this.#failure = failure;
  }

  /** Counts a request as in flight until its reply ends. Not for upgrades to an endpoint. */
  begin(exchange: Exchange): void {
    const { stats } = this.#context;
    exchange.inFlight = stats;
    stats.begun();
  }

  /**
   * Returns the answers of a route that answers handshakes like requests.
   *
   * @param failure the counter's label
   */
  forHandshakes(failure: HandshakeFailure): Answers {
    return new Answers(this.#context, failure);
  }

  /**
   * Refuses a plain request with a short text.
   *
   * @param refusal label of the counter, null if this kind of refusal is not counted
   * @param reason name in the journal, null for none
   */
  refuse(
    exchange: Exchange,
    status: 403 | 404 | 405 | 413 | 426 | 503 | 504 | EngineRefusal['status'],
    detail: string,
    refusal: RequestRefusal | null,
    reason: HandshakeFailure | RequestRefusal | null = refusal,
  ): void {
    const { head, body, reply } = exchange;
    sendRefusal(reply, status, detail, CLOSING.has(status) || closesUnread(status, head, body));
    this.ended(exchange, status, { refusal, reason, detail });
  }

  /** Refuses a handshake with a short text. */
  refuseHandshake(
    exchange: Exchange,
    status: 403 | 404 | 405 | 426 | 503 | 504 | EngineRefusal['status'],
    detail: string,
    failure: HandshakeFailure,
  ): void {
    sendRefusal(exchange.reply, status, detail, CLOSING.has(status));
    this.#handshakeEnded(exchange, status, failure, detail);
  }

  /**
   * Refuses a client that access control or a limit rejects.
   *
   * @param wantsUpgrade whether the request counts as a handshake
   */
  refuseAccess(exchange: Exchange, refusal: AccessRefusal, wantsUpgrade: boolean): void {
    const { head, body: requestBody, reply } = exchange;
    const { by, status, detail } = refusal;
    const body = by === 'access' ? refusal.body : null;
    const close = closesUnread(status, head, requestBody);
    if (body === null) sendOwn(reply, status, refusal.headers, `${detail}\n`, close);
    else reply.send(status, refusal.headers, body, close);
    const cause = by === 'access' ? refusal.reason : refusal.limit;
    if (by === 'access') this.#context.listenerStats.accessRefused(refusal.reason);
    if (wantsUpgrade) this.#handshakeEnded(exchange, status, by, detail, cause);
    else this.ended(exchange, status, { refusal: by, detail, cause });
  }

  /** Counts a client that disconnected before its request was served. */
  clientGone(exchange: Exchange, wantsUpgrade: boolean): void {
    if (wantsUpgrade) this.#handshakeEnded(exchange, CLIENT_GONE, 'client_gone');
    else this.ended(exchange, CLIENT_GONE);
  }

  /** Sends a whole answer. */
  send(exchange: Exchange, status: number, headers: HeaderList, body: string): void {
    exchange.reply.send(status, headers, body);
    this.ended(exchange, status);
  }

  /** Counts a request that has ended, and reports it to the journal. */
  ended(
    exchange: Exchange,
    status: number,
    { by, attempts = 0, refusal = null, reason = refusal, cause, detail }: RequestEnd = {},
  ): void {
    if (refusal !== null) this.#context.listenerStats.requestRefused(refusal);
    if (this.#failure !== null) {
      this.#handshakeEnded(exchange, status, this.#failure);
      return;
    }
    const seconds = this.#count(exchange, status);
    const { journal, listener, route } = this.#context;
    const { cutBy } = exchange.reply;
    const isCounted = refusal !== null || cutBy !== null;
    const outcome = requestOutcome(status, detail !== undefined, isCounted);
    const sinks = journal.sinksOf(outcome, seconds, exchange.client.trace);
    if (sinks === 0) return;
    journal.request(sinks, {
      listener,
      route,
      cluster: by?.cluster,
      endpoint: by?.endpoint?.label,
      requestFacts: requestFactsOf(exchange.head, exchange.client, journal.needsReferer),
      method: methodField(exchange.head),
      status,
      reason: reason ?? undefined,
      cause,
      detail,
      cut: cutBy ?? undefined,
      received: exchange.body?.received ?? 0,
      sent: exchange.reply.sent,
      seconds,
      span: (sinks & SPAN) === 0 ? undefined : spanFacts(exchange, attempts, seconds),
    });
  }

  /** Counts the answer, and returns the seconds since the request arrived. */
  #count({ startedAt, reply }: Exchange, status: number): number {
    const { stats } = this.#context;
    const seconds = (performance.now() - startedAt) / 1000;
    stats.answered(status, seconds);
    if (reply.cutBy !== null) stats.cut(reply.cutBy);
    return seconds;
  }

  #handshakeEnded(
    exchange: Exchange,
    status: number,
    reason: HandshakeFailure,
    detail?: string,
    cause?: string,
  ): void {
    this.#count(exchange, status);
    const { route, handshakes } = this.#context;
    const { head, client, startedAt, reply } = exchange;
    handshakes.refused({ head, client, route, status, reason, cause, detail, cut: reply.cutBy, startedAt });
  }
}
