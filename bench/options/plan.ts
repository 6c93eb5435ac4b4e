import type { SizeDistribution } from './size-distribution.ts';
import type { Target } from './target.ts';

export const SCENARIOS = ['echo', 'fan-out', 'upload', 'connect', 'idle', 'replay'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** Bytes at the start of a fan-out message for the run's ID and the time of sending. */
export const STAMP_LENGTH = 32;

/**
 * Replies that a replay expects: `same` as recorded, `count` for at least as many as recorded, `none` for any
 * replies.
 */
export const EXPECTATIONS = ['same', 'count', 'none'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

/** The replay options of the command line, before the recording is read. */
export interface ReplayOptions {
  readonly file: string;
  /** Divisor of the recorded times. */
  readonly speed: number;
  readonly expect: Expectation;
  /** Redaction rules in addition to the recording's rules. Both apply to replies before a comparison. */
  readonly redact: readonly string[];
  /** Null for one connection per recorded client. */
  readonly connections: number | null;
  readonly workers: number;
}

/** A replay: the recording, and how it is played. */
export interface ReplayPlan extends Pick<ReplayOptions, 'file' | 'speed' | 'expect'> {
  /** Redaction rules for replies. The recording's rules come first. */
  readonly redact: readonly string[];
  readonly facts: RecordingFacts;
}

/** Facts about a recording and its gaps. */
export interface RecordingFacts {
  readonly clients: number;
  /** Milliseconds from the start of the first client to the last event of any client. */
  readonly durationMs: number;
  /** Messages from clients (`messages`) and from endpoints (`replies`). */
  readonly messages: number;
  readonly replies: number;
  /** Sessions that were open before the tap. They are not played. */
  readonly attached: number;
  /** Tunnels. They are not played. */
  readonly tunnels: number;
  /** Clients without a recorded end. */
  readonly unended: number;
  /** Frames, lines and sessions that are missing from the recording. */
  readonly lost: number;
  /** Client messages without a whole recorded payload. Random payloads of the same length are sent. */
  readonly withoutPayload: number;
  /** Client messages that are sent as redacted in the recording. */
  readonly redacted: number;
  /** Names of headers and query parameters with redacted values. They are left out of the handshake. */
  readonly cut: readonly string[];
}

/**
 * One run of the load generator, as requested on the command line. Plain data, which every driver thread
 * receives.
 */
export interface Plan {
  readonly target: Target;
  readonly scenario: ScenarioName;
  /** Connections over all threads. For fan-out, subscribers without the publisher. */
  readonly connections: number;
  /** Measured time, after the warm-up. */
  readonly durationMs: number;
  /** Time of traffic before the measurement. */
  readonly warmupMs: number;
  /** Time over which connections are opened evenly. 0 opens them as fast as possible. */
  readonly rampMs: number;
  /** Max time for a connection to open, and for a reply to arrive. */
  readonly timeoutMs: number;
  /** Max messages in flight per connection. */
  readonly inFlight: number;
  readonly sizes: SizeDistribution;
  /** Messages per second over all threads, or connections for `connect`. Null in a closed loop. */
  readonly rate: number | null;
  readonly threads: number;
  readonly text: boolean;
  readonly subprotocols: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether to accept every certificate. */
  readonly insecure: boolean;
  /** Whether connections resume the last TLS session from the target. */
  readonly resume: boolean;
  /** Null for every scenario except `replay`. */
  readonly replay: ReplayPlan | null;
}

/**
 * Returns a thread's share of `count` connections. The shares add up to `count` and differ by at most one.
 */
export function shareOf(count: number, thread: number, threads: number): number {
  return Math.floor((count + threads - 1 - thread) / threads);
}
