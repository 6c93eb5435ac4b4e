/** What the primary and the workers tell each other of taps. */

/** A tap: who watches what. */
export interface TapOrder {
  /** Names the tap in logs and messages. */
  readonly id: string;
  readonly filter: TapFilter;
  /** The part of the sessions that is shown: above 0, at most 1. */
  readonly sample: number;
  /** Whether payloads are shown. */
  readonly payload: boolean;
  /** Max bytes that are shown of a message. */
  readonly maxPayloadBytes: number;
  /** Rules of redaction: see `wire/redaction/`. They have been checked. */
  readonly redact: readonly string[];
}

/** The conditions for the sessions and tunnels of a tap, which must all hold. */
export interface TapFilter {
  /** A session's id, as in `GET /sessions`. */
  readonly session?: string;
  readonly listener?: string;
  readonly route?: string;
  readonly cluster?: string;
  /** The endpoint's label. */
  readonly endpoint?: string;
  /** With its kind, or a bare name for every kind. */
  readonly principal?: string;
  /** An IP address. */
  readonly client?: string;
}

export type TapCommand =
  | { readonly type: 'tap_start'; readonly order: TapOrder }
  | { readonly type: 'tap_stop'; readonly id: string }
  /** A report of the tap has been passed on, or dropped: the worker may send another. */
  | { readonly type: 'tap_taken'; readonly id: string };

/** Lines of one tap. A worker sends at most `MAX_REPORTS_UNDER_WAY` reports of a tap before the primary has taken them. */
export interface TapReport {
  readonly type: 'tap';
  readonly id: string;
  /** Complete lines of a recording, each with a newline at its end. */
  readonly lines: string;
  /** What is missing since the last report: see `LostRecord`. */
  readonly lostFrames: number;
  readonly lostSessions: number;
}
