import type { Route } from '../../config/types/route.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import { NO_EDITS, type HeaderEdits } from '../../wire/http/header-edits.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { UpgradeRequest } from '../../wire/upgrade/upgrade-request.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import { methodField, requestFields } from '../access-log/request-fields.ts';
import type { ClientRequest } from '../dispatch/client-request.ts';
import type { HeaderList, HttpReply } from './http-reply.ts';
import type { HandshakeFailure, ListenerStats, RequestRefusal, RequestStats } from './listener-stats.ts';
import { sendRefusal } from './own-refusal.ts';
import type { RequestBody } from './request-body.ts';
import { closesUnread } from './unread-body.ts';
import type { UpgradeReply } from './upgrade-reply.ts';

/** One request as the listener hands it over. */
export interface Exchange {
  /** The dispatcher replaces it if headers are dropped. */
  head: RequestHead;
  /** Null if the request has no body. */
  readonly body: RequestBody | null;
  /** The peer's IP address as text. */
  readonly peer: string;
  /** The engine's handle of the connection, until the reply is over: see `client-connections.ts`. */
  readonly connection: object;
  readonly client: ClientIdentity;
  readonly reply: HttpReply;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
  /** Counts the request while it is in flight; null before it has a route, and for upgrades. */
  inFlight: RequestStats | null;
  /** Returns what answers an upgrade. Called at most once, and `reply` is not used then. */
  upgrade(request: UpgradeRequest): UpgradeReply;
}

/** A request with what is known of it when its route has been found. */
export interface Routed {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  /** Whether the client asks for a WebSocket. The handshake is not checked yet: only some routes make one. */
  readonly wantsUpgrade: boolean;
  readonly groups: readonly string[];
}

/** What a route does with a request that it matches. */
export type Handler = (routed: Routed) => void;

/** Fields of a request's access line that only routes to clusters know. */
interface Answerer {
  readonly cluster: string;
  readonly endpoint: Endpoint | null;
}

/** How a request ended, its status aside. */
interface RequestEnd {
  /** Null if no endpoint was needed. */
  readonly by?: Answerer | null;
  /** What a refused request counts as. */
  readonly refusal?: RequestRefusal | null;
  /** What the client was told. */
  readonly detail?: string;
}

/** Refusals that close the connection, because it may be out of step. */
const CLOSING: ReadonlySet<number> = new Set([400, 405]);

/** Where the answers of one route are counted and logged. */
interface AnswerContext {
  readonly stats: RequestStats;
  readonly listenerStats: ListenerStats;
  readonly access: Logger | null;
  readonly handshakes: RefusedHandshakes;
  readonly listener: string;
  readonly route: string;
}

/** Answers requests of one route that need no endpoint, and counts and logs every answer. */
export class Answers {
  readonly #context: AnswerContext;
  /** What a handshake that is answered here counts as; null if plain requests are answered. */
  readonly #failure: HandshakeFailure | null;

  constructor(context: AnswerContext, failure: HandshakeFailure | null = null) {
    this.#context = context;
    this.#failure = failure;
  }

  /** Counts a request as in flight until its reply is over. Not for upgrades to an endpoint. */
  begin(exchange: Exchange): void {
    const { stats } = this.#context;
    exchange.inFlight = stats;
    stats.begun();
  }

  /** Returns the answers to handshakes of the route, which it answers like any request. */
  forHandshakes(failure: HandshakeFailure): Answers {
    return new Answers(this.#context, failure);
  }

  /**
   * Answers a plain request with a few words.
   *
   * @param refusal what it counts as; null if refusals of this kind are not counted
   */
  refuse(
    exchange: Exchange,
    status: 400 | 404 | 405 | 413 | 414 | 426,
    detail: string,
    refusal: RequestRefusal | null,
  ): void {
    const { head, body, reply } = exchange;
    sendRefusal(reply, status, detail, CLOSING.has(status) || closesUnread(status, head, body));
    this.ended(exchange, status, { refusal, detail });
  }

  /** Answers a handshake with a few words. */
  refuseHandshake(
    exchange: Exchange,
    status: 400 | 404 | 405 | 414 | 426 | 503,
    detail: string,
    failure: HandshakeFailure,
  ): void {
    sendRefusal(exchange.reply, status, detail, CLOSING.has(status));
    this.#handshakeEnded(exchange, status, failure, detail);
  }

  send(exchange: Exchange, status: number, headers: HeaderList, body: string): void {
    exchange.reply.send(status, headers, body);
    this.ended(exchange, status);
  }

  /** Counts a request that is over, and writes its access line. */
  ended(exchange: Exchange, status: number, { by, refusal = null, detail }: RequestEnd = {}): void {
    if (refusal !== null) this.#context.listenerStats.requestRefused(refusal);
    if (this.#failure !== null) {
      this.#handshakeEnded(exchange, status, this.#failure);
      return;
    }
    const seconds = this.#count(exchange, status);
    const { access, listener, route } = this.#context;
    if (access === null) return;
    const { cutBy } = exchange.reply;
    const { origin, userAgent, ...fields } = requestFields(exchange.head, exchange.client);
    access.info(
      {
        listener,
        route,
        cluster: by?.cluster,
        endpoint: by?.endpoint?.label,
        ...fields,
        method: methodField(exchange.head),
        origin,
        userAgent,
        status,
        reason: refusal ?? undefined,
        detail,
        cut: cutBy ?? undefined,
        received: exchange.body?.received ?? 0,
        sent: exchange.reply.sent,
        seconds,
      },
      'request',
    );
  }

  /** Counts the answer, and returns after how many seconds it was over. */
  #count({ startedAt, reply }: Exchange, status: number): number {
    const { stats } = this.#context;
    const seconds = (performance.now() - startedAt) / 1000;
    stats.answered(status, seconds);
    if (reply.cutBy !== null) stats.cut(reply.cutBy);
    return seconds;
  }

  #handshakeEnded(exchange: Exchange, status: number, reason: HandshakeFailure, detail?: string): void {
    this.#count(exchange, status);
    const { route, handshakes } = this.#context;
    const { head, client, startedAt, reply } = exchange;
    handshakes.refused({ head, client, route, status, reason, detail, cut: reply.cutBy, startedAt });
  }
}

/** Returns a route's changes in the form in which they are applied. */
export function editsOf(changes: Route['headers']['request']): HeaderEdits {
  const { set, add, remove } = changes;
  if (set.size === 0 && add.size === 0 && remove.length === 0) return NO_EDITS;
  return { dropped: new Set([...set.keys(), ...remove]), added: [...set, ...add].flat() };
}
