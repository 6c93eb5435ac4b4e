import type { Admission } from '../../access/contract/admission.ts';
import type { ClientIdentity, ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import type { UpgradeRequest } from '../../wire/upgrade/upgrade-request.ts';
import type { ClientConnections } from './client-connections.ts';
import type { HttpReply } from './http-reply.ts';
import type { RequestStats } from './listener-stats.ts';
import type { Relay, RelayTerms } from './relay.ts';
import type { RequestBody } from './request-body.ts';
import type { UpgradeReply } from './upgrade-reply.ts';

/** Properties that all requests of one engine share. */
export interface ExchangeEngine {
  /** Identifies client connections. Null if the engine cannot. */
  readonly clients: ClientConnections | null;
  /** Whether sessions relay frames unchanged, so that client and endpoint can agree on extensions. */
  readonly passesExtensions: boolean;
  /** Whether the engine refuses every head that RFC 9112 refuses (`headProblem`). */
  readonly checksHeads: boolean;
  /** Creates the relay of one route. */
  createRelay(terms: RelayTerms): Relay;
  /**
   * Lets the engine process its client connections. Must be called after an upstream event has written to,
   * closed or upgraded a client's connection.
   */
  clientsTouched(): void;
}

/**
 * One request of a client, and the means to answer it. The engine creates it, and the dispatcher decides the
 * answer.
 */
export interface Exchange {
  /** The dispatcher replaces the head if it drops headers. */
  head: RequestHead;
  /** Null if the request has no body. */
  readonly body: RequestBody | null;
  /** The connection's IP address as text. */
  readonly peer: string;
  /** The engine that carries the connection. After a reload, new connections may get another engine. */
  readonly engine: ExchangeEngine;
  /** The engine's handle of the connection, valid until the reply ends: see `client-connections.ts`. */
  readonly connection: object;
  /** Facts about the connection. */
  readonly facts: ConnectionFacts;
  /** The dispatcher adds the principal. */
  client: ClientIdentity;
  readonly reply: HttpReply;
  /** Arrival time of the request, by `performance.now()`. */
  readonly startedAt: number;
  /** Returns the connection's addresses for a PROXY header to an endpoint. */
  ends(): ConnectionEnds;
  /** Counts the request while it is in flight. Null for upgrades, and before the request has a route. */
  inFlight: RequestStats | null;
  /**
   * The client's admission, released when the reply ends. Null if nothing is held, or a session has taken it
   * over.
   */
  admission: Admission | null;
  /** Whether the client waits for an upgrade that is still being checked. FIN then cancels the upgrade. */
  awaitsUpgrade: boolean;
  /** Returns the answer to a handshake. Call it at most once, and do not use `reply` afterwards. */
  upgrade(request: UpgradeRequest): UpgradeReply;
}
