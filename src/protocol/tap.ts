/** Messages between the primary and workers about taps. */

/** A tap: its sessions, and the parts to show. */
export interface TapOrder {
  /** Names the tap in logs and messages. */
  readonly id: string;
  readonly filter: TapFilter;
  /** Fraction of sessions to show, above 0 and at most 1. */
  readonly sample: number;
  /** Whether to show payloads. */
  readonly payload: boolean;
  /** Max bytes to show of a message. */
  readonly maxPayloadBytes: number;
  /** Redaction rules, already checked: see `wire/redaction/`. */
  readonly redact: readonly string[];
}

/** Conditions for the sessions and tunnels of a tap. All of them must hold. */
export interface TapFilter {
  /** A session's id from `GET /sessions`. */
  readonly session?: string;
  readonly listener?: string;
  readonly route?: string;
  readonly cluster?: string;
  /** The endpoint's label. */
  readonly endpoint?: string;
  /** Principal with its kind, or a bare name to match every kind. */
  readonly principal?: string;
  /** An IP address. */
  readonly client?: string;
}

export type TapCommand =
  | { readonly type: 'tap_start'; readonly order: TapOrder }
  | { readonly type: 'tap_stop'; readonly id: string };

/** Lines of one tap. */
export interface TapReport {
  readonly type: 'tap';
  readonly id: string;
  /** Complete lines of a recording, each with a newline at its end. */
  readonly lines: string;
  /** Frames and sessions lost since the last report: see `LostRecord`. */
  readonly lostFrames: number;
  readonly lostSessions: number;
  /**
   * Number of this tap's reports from this worker that the primary has passed on or dropped. It limits the
   * reports on their way. Shared memory, because a message for each report would wake the worker.
   */
  readonly taken: Int32Array<SharedArrayBuffer>;
}
