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
import type { Asker } from '../contract/client-connections.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { ResponseCut } from '../contract/http-reply.ts';
import type { UpstreamDialler } from '../contract/upstream-socket.ts';
import type { Entrant } from './handshakes/handshake-gate.ts';
import type { ContextRelays } from './context-relays.ts';

/** A handshake that is not answered yet. */
interface PendingHandshake {
  /** Null while its credentials are checked. */
  readonly admission: Admission | null;
  /**
   * Refuses the client with 503.
   *
   * @param detail why it is not let in any more; left out if the worker drains
   */
  cancel(detail?: string): void;
}

/** What the upgrades of one route in one worker share. */
export interface UpgradeContext {
  readonly cluster: Cluster;
  /** The listener's name. */
  readonly listener: string;
  readonly route: Route;
  readonly settings: WebSocketSettings;
  /** Whether frames to the endpoint carry random masks, and not zeros. */
  readonly randomMasks: boolean;
  readonly wheel: TimerWheel;
  readonly dialler: UpstreamDialler;
  readonly random: RandomPool;
  /** Make the sessions, which live on after their upgrade. */
  readonly relays: ContextRelays;
  readonly handshakeDuration: Histogram;
  readonly log: Logger;
  /** Hears of sessions. */
  readonly journal: Journal;
  /** Watch sessions. */
  readonly taps: Taps;
  /** The upgrades that are under way, for drains and revocations. */
  readonly pending: LiveSet<LiveMember & PendingHandshake>;
  /** Max silence of the long body of a refusal, in milliseconds; 0 is no limit. */
  readonly bodyIdleTimeoutMs: number;
  readonly bound: BoundConnections;
  /** Max time for which an idle bound connection is kept, in milliseconds. */
  readonly keepAliveMs: number;
  readonly refusals: RefusedHandshakes;
  /** Counts a refusal that was cut in the middle of its body. */
  countCut(reason: ResponseCut): void;
}

/** A client's handshake that is valid, on its way to an endpoint. */
export interface UpgradeOrder {
  readonly head: RequestHead;
  readonly to: UpstreamTarget;
  readonly login: ConnectionLogin;
  readonly subprotocols: readonly string[];
  /** The extensions that the client offers to the endpoint; empty if none are passed on. */
  readonly extensions: string;
  /** The facts about the client that decide the endpoint. */
  readonly pick: PickContext;
  /** Whether the client uses TLS, to the proxy or to a trusted proxy in front. */
  readonly secure: boolean;
  /** Whether a Via header is added to the response. */
  readonly via: boolean;
  readonly client: ClientIdentity;
  readonly admission: Admission;
  /** What holds the handshake's place at the gate already; null for nothing. */
  readonly place: Entrant | null;
  /** The subprotocol that the client is answered if the endpoint chooses none; null for none. */
  readonly ownSubprotocol: string | null;
  readonly requestId: string;
  readonly asker: Asker;
  /** The engine that carries the client's connection. */
  readonly engine: ExchangeEngine;
  /** When the request came, by `performance.now()`. */
  readonly startedAt: number;
}
