import type { Principal } from './principal.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** An admitted client's address, principal and limits. A session keeps it for its whole life. */
export interface Admission {
  /** The client's IP address. */
  readonly address: string;
  readonly principal: Principal;
  /**
   * When the session ends because its credential expires, in milliseconds since 1970. Infinity for never.
   * Includes grace and jitter. The admin API may extend it.
   */
  endsAt: number;
  /** Null if no limit applies to the client's traffic. */
  readonly meter: TrafficMeter | null;
  /** Releases the client's places. Idempotent. */
  release(): void;
}
