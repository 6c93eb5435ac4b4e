import type { Outcome, ReplayCounts } from '../driver/measuring/outcome.ts';
import type { Timing } from '../options/assertion.ts';
import type { Plan } from '../options/plan.ts';
import { Distribution } from './distribution.ts';
import { ratesOf, type Rates } from './rates.ts';

/** Max differences from a recording to report. */
const MAX_DIFFERENCES = 10;

/** The measurements of a run, over all threads. */
export interface Result {
  readonly plan: Plan;
  /** Whether the run was ended early. */
  readonly interrupted: boolean;
  readonly measuredMs: number;
  readonly timings: Readonly<Record<Timing, Distribution>>;
  /** Answered messages. In scenario `connect`: opened connections. */
  readonly messages: number;
  readonly messageRates: Rates;
  /** Payload bytes of these messages. */
  readonly bytes: number;
  readonly byteRates: Rates;
  readonly opened: number;
  /** Connections that resumed a TLS session. */
  readonly resumed: number;
  /** By kind, most frequent first. */
  readonly errors: ReadonlyMap<string, number>;
  readonly errorCount: number;
  /** Connections that the target closed, by close code or kind, most frequent first. */
  readonly closes: ReadonlyMap<string, number>;
  readonly closeCount: number;
  readonly unsent: number;
  readonly unsolicited: number;
  /** Busy fraction of each thread, 0 to 1. */
  readonly busy: readonly number[];
  /** CPU of the load generator, all threads, in milliseconds. */
  readonly cpuMs: number;
  /** Over all threads; null for every scenario but `replay`. */
  readonly replay: ReplayCounts | null;
}

/** Merges the measurements of the threads. */
export function mergeOutcomes(plan: Plan, outcomes: readonly Outcome[], interrupted: boolean): Result {
  const measuredMs = Math.max(0, ...outcomes.map((outcome) => outcome.measuredMs));
  const merge = (timing: Timing): Distribution =>
    new Distribution(outcomes.map((outcome) => outcome[timing]));
  const messages = outcomes.map((outcome) => outcome.messages);
  const bytes = outcomes.map((outcome) => outcome.bytes);
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const errors = mergeCounts([
    ...outcomes.map((outcome) => outcome.errors),
    new Map([
      ['lost with their connection', sum(({ lost }) => lost)],
      ['unanswered at the end', sum(({ unanswered }) => unanswered)],
    ]),
  ]);
  const closes = mergeCounts(outcomes.map((outcome) => outcome.closes));
  return {
    plan,
    interrupted,
    measuredMs,
    timings: {
      latency: merge('latency'),
      lateness: merge('lateness'),
      connect: merge('connect'),
      tls: merge('tls'),
      handshake: merge('handshake'),
    },
    messages: totalOf(messages),
    messageRates: ratesOf(messages, measuredMs),
    bytes: totalOf(bytes),
    byteRates: ratesOf(bytes, measuredMs),
    opened: sum(({ opened }) => opened),
    resumed: sum(({ resumed }) => resumed),
    errors,
    errorCount: countOf(errors),
    closes,
    closeCount: countOf(closes),
    unsent: sum(({ unsent }) => unsent),
    unsolicited: sum(({ unsolicited }) => unsolicited),
    busy: outcomes.map(({ busy }) => busy),
    // Each thread measured the whole process.
    cpuMs: Math.max(0, ...outcomes.map(({ cpuMs }) => cpuMs)),
    replay: mergeReplays(outcomes.map(({ replay }) => replay)),
  };
}

function mergeReplays(parts: readonly (ReplayCounts | null)[]): ReplayCounts | null {
  const counts = parts.filter((part) => part !== null);
  if (counts.length === 0) return null;
  const sum = (of: (part: ReplayCounts) => number): number =>
    counts.reduce((total, part) => total + of(part), 0);
  return {
    begun: sum(({ begun }) => begun),
    played: sum(({ played }) => played),
    failed: sum(({ failed }) => failed),
    sent: sum(({ sent }) => sent),
    sentBytes: sum(({ sentBytes }) => sentBytes),
    differences: counts.flatMap(({ differences }) => differences).slice(0, MAX_DIFFERENCES),
  };
}

function totalOf(parts: readonly Float64Array[]): number {
  return parts.reduce((sum, part) => sum + part.reduce((inner, count) => inner + count, 0), 0);
}

function mergeCounts(parts: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const merged = new Map<string, number>();
  for (const part of parts) {
    for (const [kind, count] of part) if (count > 0) merged.set(kind, (merged.get(kind) ?? 0) + count);
  }
  return new Map([...merged].sort(([, a], [, b]) => b - a));
}

function countOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
