import type { Route } from '../config/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { ClientIdentity } from '../wire/forwarding/client-identity.ts';
import { NO_EDITS, type HeaderEdits } from '../wire/header-edits.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { UpgradeRequest } from '../wire/upgrade-request.ts';
import type { ClientRequest } from './client-request.ts';
import type { HeaderList, HttpReply } from './http-reply.ts';
import type { RequestStats } from './listener-stats.ts';
import type { RequestBody } from './request-body.ts';
import type { UpgradeReply } from './upgrade.ts';

/** One request as the listener hands it over. */
export interface Exchange {
  readonly head: RequestHead;
  /** Null where the request brings no body along. */
  readonly body: RequestBody | null;
  /** The peer's IP address as text. */
  readonly peer: string;
  readonly client: ClientIdentity;
  readonly reply: HttpReply;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
  /** How to answer where the request becomes an upgrade. Called at most once, instead of using `reply`. */
  upgrade(request: UpgradeRequest): UpgradeReply;
}

/** A request with what is known of it when its route has been found. */
export interface Routed {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  /** Null where it is plain HTTP. */
  readonly upgrade: UpgradeRequest | null;
  readonly groups: readonly string[];
}

/** What a route does with a request that it matches. */
export type Handler = (routed: Routed) => void;

/** What the access line of a request tells that only some routes know. */
interface Answerer {
  readonly cluster: string;
  readonly endpoint: Endpoint | null;
  readonly client: string;
  readonly requestId: string;
}

const PLAIN_TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const;
/** Refusals that close the connection: it may be out of step, or has a body that is not read. */
const CLOSING: ReadonlySet<number> = new Set([400, 405, 413]);
const REFUSAL_HEADERS: ReadonlyMap<number, HeaderList> = new Map<number, HeaderList>([
  [405, [PLAIN_TEXT, ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']]],
  [426, [PLAIN_TEXT, ['Upgrade', 'websocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Version', '13']]],
  [503, [PLAIN_TEXT, ['Retry-After', '1']]],
]);

/** Answers requests of one route, where that needs no endpoint, and counts and logs every answer. */
export class Answers {
  readonly #stats: RequestStats;
  readonly #access: Logger | null;
  readonly #listener: string;
  readonly #route: string;

  constructor(stats: RequestStats, access: Logger | null, listener: string, route: string) {
    this.#stats = stats;
    this.#access = access;
    this.#listener = listener;
    this.#route = route;
  }

  /** Answers with a short reason. */
  refuse(exchange: Exchange, status: 400 | 404 | 405 | 413 | 414 | 426 | 503, reason: string): void {
    const headers = REFUSAL_HEADERS.get(status) ?? [PLAIN_TEXT];
    this.send(exchange, status, headers, `${reason}\n`, CLOSING.has(status));
  }

  send(exchange: Exchange, status: number, headers: HeaderList, body: string, close = false): void {
    exchange.reply.send(status, headers, body, close);
    this.ended(exchange, status);
  }

  /** Counts a request that is over, and writes its access line. */
  ended(exchange: Exchange, status: number, by: Answerer | null = null): void {
    const seconds = (performance.now() - exchange.startedAt) / 1000;
    const { cutBy } = exchange.reply;
    this.#stats.answered(status, seconds);
    if (cutBy !== null) this.#stats.cut(cutBy);
    this.#access?.info(
      {
        listener: this.#listener,
        route: this.#route,
        cluster: by?.cluster,
        endpoint: by?.endpoint?.label,
        client: by?.client ?? exchange.peer,
        requestId: by?.requestId,
        method: exchange.head.method,
        path: exchange.head.path,
        status,
        cut: cutBy ?? undefined,
        received: exchange.body?.received ?? 0,
        sent: exchange.reply.sent,
        seconds,
      },
      'request',
    );
  }
}

/** A route's changes in the form in which they are applied. */
export function editsOf(changes: Route['headers']['request']): HeaderEdits {
  const { set, add, remove } = changes;
  if (set.size === 0 && add.size === 0 && remove.length === 0) return NO_EDITS;
  return { dropped: new Set([...set.keys(), ...remove]), added: [...set, ...add].flat() };
}
