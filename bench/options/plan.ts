import type { SizeDistribution } from './size-distribution.ts';
import type { Target } from './target.ts';

export const SCENARIOS = ['echo', 'fan-out', 'upload', 'connect', 'idle', 'replay'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** Bytes of a fan-out message in which stand the run and the time at which it was sent. */
export const STAMP_LENGTH = 32;

/**
 * Which replies a replay expects: `same` the recorded ones, `count` at least as many as recorded, `none` any.
 */
export const EXPECTATIONS = ['same', 'count', 'none'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

/** The replay options of the command line, before the recording is read. */
export interface ReplayOptions {
  readonly file: string;
  /** The recorded times are divided by it. */
  readonly speed: number;
  readonly expect: Expectation;
  /** Rules of redaction for replies before they are compared, besides those of the recording. */
  readonly redact: readonly string[];
  /** Null for one connection for each recorded client. */
  readonly connections: number | null;
  readonly workers: number;
}

/** How a recording is played. */
export interface ReplayPlan extends Pick<ReplayOptions, 'file' | 'speed' | 'expect'> {
  /** Rules of redaction for replies, those of the recording first. */
  readonly redact: readonly string[];
  readonly facts: RecordingFacts;
}

/** Facts about a recording and its gaps. */
export interface RecordingFacts {
  readonly clients: number;
  /** From the first client's start to the last event of any. */
  readonly durationMs: number;
  /** Messages of clients, and of the endpoints to them. */
  readonly messages: number;
  readonly replies: number;
  /** Sessions that were open before the tap: they are not played. */
  readonly attached: number;
  /** Tunnels: they are not played. */
  readonly tunnels: number;
  /** Clients whose end is not recorded. */
  readonly unended: number;
  /** Frames, lines and sessions that the recording has lost. */
  readonly lost: number;
  /** Messages of clients whose payload is not recorded, or not whole: random ones of their length are sent. */
  readonly withoutPayload: number;
  /** Messages of clients that are sent as the rules of redaction have left them. */
  readonly redacted: number;
  /** Names of headers and query parameters whose values were cut: they are left out of the handshake. */
  readonly cut: readonly string[];
}

/** One run of the load generator, as the command line asks for it. Plain data: every driver thread gets it. */
export interface Plan {
  readonly target: Target;
  readonly scenario: ScenarioName;
  /** Over all threads; for fan-out the subscribers, without the publisher. */
  readonly connections: number;
  /** How long is measured, after the warm-up. */
  readonly durationMs: number;
  /** Traffic before the measuring begins. */
  readonly warmupMs: number;
  /** Over which the connections are opened, evenly; 0 opens them as fast as they come up. */
  readonly rampMs: number;
  /** For a connection to open, and for a reply to come. */
  readonly timeoutMs: number;
  /** Messages in flight on each connection at most. */
  readonly inFlight: number;
  readonly sizes: SizeDistribution;
  /** Messages (scenario connect: connections) a second over all threads; null in a closed loop. */
  readonly rate: number | null;
  readonly threads: number;
  readonly text: boolean;
  readonly subprotocols: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Takes any certificate. */
  readonly insecure: boolean;
  /** Resumes the last TLS session that the target has given. */
  readonly resume: boolean;
  /** Null for every scenario but `replay`. */
  readonly replay: ReplayPlan | null;
}

/** How many of `count` connections a thread has; the shares differ by one at most and none is lost. */
export function shareOf(count: number, thread: number, threads: number): number {
  return Math.floor((count + threads - 1 - thread) / threads);
}
