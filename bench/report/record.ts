import { TIMINGS, type Statistic } from '../options/assertion.ts';
import { formatSizeDistribution } from '../options/size-distribution.ts';
import { formatTarget } from '../options/target.ts';
import { concernsOf } from '../result/concerns.ts';
import type { Distribution } from '../result/distribution.ts';
import type { Result } from '../result/result.ts';
import type { Verdict } from '../result/verdict.ts';
import type { PlainValue } from './csv.ts';
import { machineRecord } from './machine.ts';
import { replayRecord } from './replay-report.ts';

const PERCENTILES = [2.5, 50, 75, 90, 97.5, 99, 99.9, 99.99];

/** Converts a result to plain data for programs. Times are in milliseconds, sizes in bytes. */
export function recordOf(result: Result, verdicts: readonly Verdict[]): PlainValue {
  const { plan } = result;
  return {
    date: new Date().toISOString(),
    machine: machineRecord(),
    target: formatTarget(plan.target),
    scenario: plan.scenario,
    loop: plan.replay !== null ? 'recorded' : plan.rate === null ? 'closed' : 'open',
    rate: plan.rate,
    connections: plan.connections,
    inFlight: plan.inFlight,
    size: formatSizeDistribution(plan.sizes),
    text: plan.text,
    threads: plan.threads,
    warmupMs: plan.warmupMs,
    rampMs: plan.rampMs,
    measuredMs: result.measuredMs,
    interrupted: result.interrupted,
    messages: result.messages,
    bytes: result.bytes,
    messagesPerSecond: { ...result.messageRates },
    bytesPerSecond: { ...result.byteRates },
    ...Object.fromEntries(TIMINGS.map((name) => [name, recordTiming(result.timings[name])])),
    opened: result.opened,
    resumed: result.resumed,
    errors: recordCounts(result.errors, result.errorCount),
    closes: recordCounts(result.closes, result.closeCount),
    unsent: result.unsent,
    unsolicited: result.unsolicited,
    replay: replayRecord(result),
    driver: { busy: result.busy, cpuMs: result.cpuMs },
    concerns: concernsOf(result),
    assertions: verdicts.map(({ assertion, actual, holds }) => ({ text: assertion.text, actual, holds })),
  };
}

/** Records all statistics, even without values, so that CSV always has the same columns. */
function recordTiming(timing: Distribution): PlainValue {
  const read = (statistic: Statistic): number | null => (timing.count === 0 ? null : timing.read(statistic));
  return {
    count: timing.count,
    ...Object.fromEntries(
      PERCENTILES.map((percentile) => [`p${percentile}`, read({ kind: 'percentile', percentile })]),
    ),
    min: read({ kind: 'min' }),
    max: read({ kind: 'max' }),
    mean: read({ kind: 'mean' }),
    deviation: read({ kind: 'deviation' }),
  };
}

function recordCounts(counts: ReadonlyMap<string, number>, total: number): PlainValue {
  return { total, kinds: Array.from(counts, ([kind, count]) => ({ kind, count })) };
}
