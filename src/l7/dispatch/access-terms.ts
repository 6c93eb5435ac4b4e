import type { AccessCheck, AccessRefusal } from '../../access/access-check.ts';
import type { RouteAccess } from '../../access/route-access.ts';
import type { LogSettings } from '../../config/types/config.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ClusterGate, Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import type { Answers } from './answers.ts';
import type { L7Environment } from './l7-environment.ts';
import type { Routed } from './route-handler.ts';

/** What the checks of one route share. */
export interface AccessGateTerms {
  readonly access: RouteAccess;
  /** The name of the route. */
  readonly route: string;
  readonly answers: Answers;
  readonly wheel: TimerWheel;
  /** Max time of a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly principal: LogSettings['principal'];
  /** Bounds the handshakes that are checked; null for a route that makes no WebSockets. */
  readonly handshakes: ClusterGate | null;
  /**
   * The handshakes of the route that are under way, checks of credentials included. Null without
   * {@link handshakes}.
   */
  readonly pending: UpgradeContext['pending'] | null;
  /** The plain requests that are under way, checks of credentials included. */
  readonly requests: L7Environment['requests'];
}

/** Takes requests whose credentials have been checked. */
export interface CheckedRequests {
  /**
   * Serves a request whose credentials are good, unless a limit is reached.
   *
   * @param place the holder of the handshake's place at the gate; null without a place
   */
  enter(routed: Routed, check: AccessCheck, place: Entrant | null): void;
  /** Answers a request that may not be served. */
  refuse(routed: Routed, refusal: AccessRefusal): void;
}
