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

/** What the requests of one engine have in common. */
export interface ExchangeEngine {
  /** Tells clients' connections apart; null if the engine cannot. */
  readonly clients: ClientConnections | null;
  /** Whether sessions carry frames as they come, so that client and endpoint may agree on extensions. */
  readonly passesExtensions: boolean;
  /** Whether the engine itself refuses every head that RFC 9112 refuses (`headProblem`). */
  readonly checksHeads: boolean;
  /** Makes the relay of one route. */
  createRelay(terms: RelayTerms): Relay;
  /**
   * Lets the engine look after its clients' connections. To be called when one has been written to, closed or upgraded
   * while an endpoint was served.
   */
  clientsTouched(): void;
}

/** One request of a client, and the way to answer it. The engine makes it; the dispatcher decides what happens to it. */
export interface Exchange {
  /** The dispatcher replaces the head if it drops headers. */
  head: RequestHead;
  /** Null if the request has no body. */
  readonly body: RequestBody | null;
  /** The connection's IP address as text. */
  readonly peer: string;
  /** The engine that carries the connection. After a reload it may be another one than new connections have. */
  readonly engine: ExchangeEngine;
  /** The engine's handle of the connection, until the reply is over: see `client-connections.ts`. */
  readonly connection: object;
  /** Facts about the connection. */
  readonly facts: ConnectionFacts;
  /** The dispatcher adds the principal. */
  client: ClientIdentity;
  readonly reply: HttpReply;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
  /** Finds what an endpoint is told of the connection by a PROXY header. */
  ends(): ConnectionEnds;
  /** Counts the request while it is in flight; null before it has a route, and for upgrades. */
  inFlight: RequestStats | null;
  /** What the client has been let in with: released when the reply is over. Null if it holds nothing, or a session has it. */
  admission: Admission | null;
  /** Whether the client waits for an upgrade that is still being checked: then FIN gives it up. */
  awaitsUpgrade: boolean;
  /** Returns the answer to a handshake. Call it once at most, and do not use `reply` after it. */
  upgrade(request: UpgradeRequest): UpgradeReply;
}
