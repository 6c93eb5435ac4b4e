import type { SizeDistribution } from './size-distribution.ts';
import type { Target } from './target.ts';

export const SCENARIOS = ['echo', 'fan-out', 'upload', 'connect', 'idle'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

/** Bytes of a fan-out message in which stand the run and the time at which it was sent. */
export const STAMP_LENGTH = 32;

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
}

/** How many of `count` connections a thread has; the shares differ by one at most and none is lost. */
export function shareOf(count: number, thread: number, threads: number): number {
  return Math.floor((count + threads - 1 - thread) / threads);
}
