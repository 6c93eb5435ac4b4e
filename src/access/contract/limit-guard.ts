import type { LimitSettings } from '../../config/types/limits.ts';
import type { LIMIT_KINDS } from '../../telemetry/metrics/label-values.ts';
import type { AccessRequest } from './access-request.ts';
import type { Principal } from './principal.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** What a client had too much of. */
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** `address`: limits by address, before the client has said who it is. `principal`: all others. */
export type LimitStage = 'address' | 'principal';

/** A limit that a request would exceed. */
export interface LimitRefusal {
  /** The limit's name. */
  readonly limit: string;
  readonly kind: LimitKind;
  /** 429, or 503 if other clients may be to blame: the count is not known, or shared with other keys. */
  readonly status: 429 | 503;
  /** In a few words, for the client and the log. */
  readonly detail: string;
  /** Retry-After, RateLimit and RateLimit-Policy. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The places that one client holds, over all limits. */
export interface LimitHolds {
  /** Counts what the session's client sends; null without limits on that. */
  readonly meter: TrafficMeter | null;
  /** Gives the places back. Does nothing the second time. */
  release(): void;
}

/** The limits of a route, those of its listener included. They refuse, or let in and count. */
export interface LimitGuard {
  /** Makes the holds of a client, which hold nothing yet. */
  open(): LimitHolds;
  /**
   * Takes what a request needs from all limits of a stage, or takes nothing and counts the refusal.
   *
   * @param holds made by {@link open}
   * @param principal null at the stage `address`
   */
  enter(
    stage: LimitStage,
    request: AccessRequest,
    principal: Principal | null,
    holds: LimitHolds,
  ): LimitRefusal | null;
  /**
   * Takes what a tunnelled connection needs from the limits by address, or takes nothing and counts the
   * refusal.
   *
   * @param address the client's, as `normalizeIp` writes it
   * @param holds made by {@link open}
   */
  enterConnection(address: string, holds: LimitHolds): LimitRefusal | null;
}

/** Makes the guards of a worker's routes. All workers and configurations count one limit together. */
export interface LimitGuards {
  /**
   * Makes a guard; null without limits.
   *
   * @param listener its name: with a limit's own name, it names what is counted
   */
  setOf(listener: string, limits: readonly LimitSettings[]): LimitGuard | null;
}
