import type { LimitSettings } from '../../config/types/limits.ts';
import type { LIMIT_KINDS } from '../../telemetry/metrics/label-values.ts';
import type { AccessRequest } from './access-request.ts';
import type { Principal } from './principal.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** The resource that a client exceeded. */
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** `address`: limits by address, before the client is identified. `principal`: all others. */
export type LimitStage = 'address' | 'principal';

/** A limit that a request would exceed. */
export interface LimitRefusal {
  /** The limit's name. */
  readonly limit: string;
  readonly kind: LimitKind;
  /** 429, or 503 if other clients may be the cause because the count is unknown or shared with other keys. */
  readonly status: 429 | 503;
  /** A few words for the client and the log. */
  readonly detail: string;
  /** Retry-After, RateLimit and RateLimit-Policy. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The places that one client holds in all limits. */
export interface LimitHolds {
  /** Counts what the session's client sends. Null if no limit applies to that. */
  readonly meter: TrafficMeter | null;
  /** Releases the places. Idempotent. */
  release(): void;
}

/** The limits of a route, including its listener's. */
export interface LimitGuard {
  /** Creates a client's holds, which are empty at first. */
  open(): LimitHolds;
  /**
   * Takes what a request needs from all limits of a stage. If one refuses, takes nothing and counts the
   * refusal.
   *
   * @param holds created by {@link open}
   * @param principal null at the stage `address`
   */
  enter(
    stage: LimitStage,
    request: AccessRequest,
    principal: Principal | null,
    holds: LimitHolds,
  ): LimitRefusal | null;
  /**
   * Takes what a tunnelled connection needs from the limits by address. If one refuses, takes nothing and
   * counts the refusal.
   *
   * @param address the client's, as written by `normalizeIp`
   * @param holds created by {@link open}
   */
  enterConnection(address: string, holds: LimitHolds): LimitRefusal | null;
}

/** Creates the guards of a worker's routes. All workers and generations share the counts of one limit. */
export interface LimitGuards {
  /**
   * Creates a guard. Null if there are no limits.
   *
   * @param listener name of the listener; together with a limit's name, it identifies the count
   */
  guardFor(listener: string, limits: readonly LimitSettings[]): LimitGuard | null;
}
