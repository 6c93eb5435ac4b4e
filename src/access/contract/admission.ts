import type { Principal } from './principal.ts';
import type { TrafficMeter } from './traffic-meter.ts';

/** What a client has been let in with. A session keeps it for its whole life. */
export interface Admission {
  /** The client's IP address. */
  readonly address: string;
  readonly principal: Principal;
  /**
   * When the session ends because its credential expires, in milliseconds since 1970; Infinity for never.
   * Grace and jitter are included. The admin API may extend it.
   */
  endsAt: number;
  /** Null without limits on what the client sends. */
  readonly meter: TrafficMeter | null;
  /** Gives back the places that the client holds. Does nothing the second time. */
  release(): void;
}
