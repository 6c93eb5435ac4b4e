import type { Admission } from '../../access/contract/admission.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { RandomPool } from '../../core/random-pool.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Journal } from '../../telemetry/journal/journal.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Histogram } from '../../telemetry/stats-page.ts';
import type { Taps } from '../../telemetry/tap/tap.ts';
import type { PickContext } from '../../upstream/balancers/balancer.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { UpstreamTarget } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { RefusedHandshakes } from '../access-log/refused-handshakes.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import type { Requester } from '../contract/client-connections.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { ResponseCut } from '../contract/http-reply.ts';
import type { UpstreamDialler } from '../contract/upstream-socket.ts';
import type { Entrant } from './handshakes/handshake-gate.ts';
import type { ContextRelays } from './context-relays.ts';

/** A handshake without an answer yet. */
interface PendingHandshake {
  /** Null while its credentials are being checked. */
  readonly admission: Admission | null;
  /**
   * Refuses the client with 503.
   *
   * @param detail why the client lost its admission, missing if the worker drains
   */
  cancel(detail?: string): void;
}

/** State that the upgrades of one route share in one worker. */
export interface UpgradeContext {
  readonly cluster: Cluster;
  /** Name of the listener. */
  readonly listener: string;
  readonly route: Route;
  readonly settings: WebSocketSettings;
  /** Whether frames to the endpoint have random masks instead of zeros. */
  readonly randomMasks: boolean;
  readonly wheel: TimerWheel;
  readonly dialler: UpstreamDialler;
  readonly random: RandomPool;
  /** Create the sessions, which outlive their upgrades. */
  readonly relays: ContextRelays;
  readonly handshakeDuration: Histogram;
  readonly log: Logger;
  /** Receives the records of sessions. */
  readonly journal: Journal;
  /** Watch sessions. */
  readonly taps: Taps;
  /** Pending upgrades, for drains and revocations. */
  readonly pending: LiveSet<LiveMember & PendingHandshake>;
  /** Max silence of a streamed refusal's body, in milliseconds. 0 disables the limit. */
  readonly bodyIdleTimeoutMs: number;
  readonly bound: BoundConnections;
  /** Max idle time of a bound connection, in milliseconds. */
  readonly keepAliveMs: number;
  readonly refusals: RefusedHandshakes;
  /** Counts a refusal whose body was cut. */
  countCut(reason: ResponseCut): void;
}

/** A client's valid handshake, for an endpoint. */
export interface UpgradeOrder {
  readonly head: RequestHead;
  readonly to: UpstreamTarget;
  readonly login: ConnectionLogin;
  readonly subprotocols: readonly string[];
  /** The extensions offered to the endpoint, empty for none. */
  readonly extensions: string;
  /** The facts about the client that select the endpoint. */
  readonly pick: PickContext;
  /** Whether the client uses TLS, to sluice or to a trusted proxy in front of it. */
  readonly secure: boolean;
  /** Whether the response gets a Via header. */
  readonly via: boolean;
  readonly client: ClientIdentity;
  readonly admission: Admission;
  /** The holder of the handshake's place at the gate, or null. */
  readonly place: Entrant | null;
  /** The subprotocol in the client's 101 if the endpoint chooses none, or null. */
  readonly ownSubprotocol: string | null;
  readonly requestId: string;
  readonly requester: Requester;
  /** The engine that carries the client's connection. */
  readonly engine: ExchangeEngine;
  /** Arrival time of the request, by `performance.now()`. */
  readonly startedAt: number;
}
