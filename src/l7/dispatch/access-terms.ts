import type { AccessCheck, AccessRefusal } from '../../access/access-check.ts';
import type { RouteAccess } from '../../access/route-access.ts';
import type { LogSettings } from '../../config/types/config.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ClusterGate, Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { UpgradeContext } from '../websocket/upgrade-order.ts';
import type { Answers } from './answers.ts';
import type { L7Environment } from './l7-environment.ts';
import type { RoutedRequest } from './route-handler.ts';

/** State that the checks of one route share. */
export interface AccessGateTerms {
  readonly access: RouteAccess;
  /** Name of the route. */
  readonly route: string;
  readonly answers: Answers;
  readonly wheel: TimerWheel;
  /** Max duration of a check, in milliseconds. */
  readonly timeoutMs: number;
  readonly principal: LogSettings['principal'];
  /** Bounds the handshakes that are being checked. Null if the route has no WebSockets. */
  readonly handshakes: ClusterGate | null;
  /** Pending handshakes of the route, including checks of credentials. Null without {@link handshakes}. */
  readonly pending: UpgradeContext['pending'] | null;
  /** Pending plain requests, including checks of credentials. */
  readonly requests: L7Environment['requests'];
}

/** Takes requests after the check of their credentials. */
export interface CheckedRequests {
  /**
   * Serves a request with valid credentials, unless a limit is reached.
   *
   * @param place the holder of the handshake's place at the gate, or null
   */
  enter(routed: RoutedRequest, check: AccessCheck, place: Entrant | null): void;
  /** Answers a request that must not be served. */
  refuse(routed: RoutedRequest, refusal: AccessRefusal): void;
}
