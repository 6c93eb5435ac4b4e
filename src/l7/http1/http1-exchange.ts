import type { Admission } from '../../access/contract/admission.ts';
import type { ClientIdentity, ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import { acceptKey } from '../../wire/upgrade/accept-key.ts';
import type { UpgradeRequest } from '../../wire/upgrade/upgrade-request.ts';
import type { ClientConnection } from '../contract/client-connections.ts';
import type { RequestDispatcher } from '../contract/engine.ts';
import type { Exchange, ExchangeEngine } from '../contract/exchange.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import type { RequestStats } from '../contract/listener-stats.ts';
import type { RelaySession } from '../contract/relay.ts';
import type { StreamSession } from '../contract/stream-session.ts';
import type { UpgradeReply } from '../contract/upgrade-reply.ts';
import type { Http1Reply } from './reply/http1-reply.ts';
import type { Http1RequestBody } from './request/http1-request-body.ts';

/** The parts of a connection that an exchange uses. */
export interface ExchangeConnection extends ClientConnection, ConnectionFacts {
  readonly engine: ExchangeEngine;
  ends(): ConnectionEnds;
  /**
   * Passes the channel to a session after the 101. The connection remains only as a {@link ClientConnection}.
   */
  handOver(session: StreamSession): void;
}

/** The parts of a new exchange. */
interface ReceivedRequest {
  readonly head: RequestHead;
  readonly body: Http1RequestBody | null;
  readonly client: ClientIdentity;
}

/** One request on a connection of this engine, and the answer to its handshake, if it is one. */
export class Http1Exchange implements Exchange, UpgradeReply {
  head: RequestHead;
  inFlight: RequestStats | null = null;
  readonly body: Http1RequestBody | null;
  client: ClientIdentity;
  admission: Admission | null = null;
  awaitsUpgrade = false;
  readonly connection: ExchangeConnection;
  readonly http: Http1Reply;
  readonly startedAt = performance.now();
  readonly #dispatcher: RequestDispatcher;
  #handshake: UpgradeRequest | null = null;

  /** @param dispatcher dispatcher of the request until its end */
  constructor(
    connection: ExchangeConnection,
    { head, body, client }: ReceivedRequest,
    reply: Http1Reply,
    dispatcher: RequestDispatcher,
  ) {
    this.connection = connection;
    this.head = head;
    this.body = body;
    this.client = client;
    this.http = reply;
    this.#dispatcher = dispatcher;
  }

  get engine(): ExchangeEngine {
    return this.connection.engine;
  }

  get facts(): ConnectionFacts {
    return this.connection;
  }

  get peer(): string {
    return this.connection.peer;
  }

  get reply(): Http1Reply {
    return this.http;
  }

  /** Whether the request is a handshake that is being checked, or is pending at an endpoint. */
  get isUpgrade(): boolean {
    return this.awaitsUpgrade || this.#handshake !== null;
  }

  ends(): ConnectionEnds {
    return this.connection.ends();
  }

  upgrade(request: UpgradeRequest): UpgradeReply {
    this.#handshake = request;
    return this;
  }

  accept(session: RelaySession, subprotocol: string, headers: HeaderList): boolean {
    if (this.http.isOver) return false;
    const { key } = this.#handshake!;
    const chosen = subprotocol === '' ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
    const lines = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n${chosen}`;
    this.http.switchProtocols(headers, lines);
    // All sessions of this engine's relay are stream sessions.
    this.connection.handOver(session as StreamSession);
    return true;
  }

  /** Called when the reply has ended. */
  over(): void {
    this.#dispatcher.over(this);
  }
}
