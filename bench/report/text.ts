import { wrap } from '../../src/cli/wrap.ts';
import { formatDuration } from '../../src/core/units/duration.ts';
import { formatBytes, formatCount, formatTime } from '../figures/readable-numbers.ts';
import { layOut, layOutWithin } from '../figures/tables.ts';
import type { Timing } from '../options/assertion.ts';
import type { Plan } from '../options/plan.ts';
import { formatSizeDistribution } from '../options/size-distribution.ts';
import { formatTarget } from '../options/target.ts';
import { concernsOf } from '../result/concerns.ts';
import type { Distribution } from '../result/distribution.ts';
import type { Rates } from '../result/rates.ts';
import type { Result } from '../result/result.ts';
import type { Verdict } from '../result/verdict.ts';
import { replayHead, replayLines } from './replay-report.ts';

const PERCENTILES = [2.5, 50, 90, 97.5, 99, 99.9];
/** Columns that narrow terminals have no room for, the least important first. */
const DISPENSABLE = ['deviation', '2.5%', '97.5%', '1%', 'mean', '99.9%', 'least'];
const INDENT = 2;

/**
 * Formats a result for people, with a newline at the end.
 *
 * @param width max characters of the lines of tables and sentences. Tables lose columns
 */
export function renderText(result: Result, verdicts: readonly Verdict[], width = Infinity): string {
  const wrapped = (text: string): string => wrap(text, INDENT, width);
  const sections = [
    headLines(result.plan).map(wrapped),
    timingLines(result, ['latency', 'lateness'], width),
    rateLines(result, width),
    timingLines(result, ['connect', 'tls', 'handshake'], width),
    replayLines(result),
    countLines('errors', result.errors),
    countLines('closed by the target', result.closes),
    [wrapped(summaryOf(result))],
    concernsOf(result).map((concern) => wrapped(`! ${concern}`)),
    verdicts.map(renderVerdict),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Describes the scenario and the load. */
function headLines(plan: Plan): string[] {
  const { scenario, connections, inFlight, rate, threads } = plan;
  if (plan.replay !== null) {
    const [first, ...more] = replayHead(plan, plan.replay);
    return [`${formatTarget(plan.target)}  ${first}`, ...more];
  }
  const threadText = threads === 1 ? '1 thread' : `${threads} threads`;
  return [
    `${formatTarget(plan.target)}  ${scenario}, ${connections} connections, ${threadText}, ` +
      `${formatDuration(plan.durationMs)} after ${formatDuration(plan.warmupMs)} of warm-up`,
    loopOf(
      scenario,
      rate,
      inFlight,
      `${formatSizeDistribution(plan.sizes)} ${plan.text ? 'text' : 'binary'}`,
    ),
  ];
}

function loopOf(scenario: Plan['scenario'], rate: number | null, inFlight: number, what: string): string {
  if (scenario === 'idle') return 'nothing is sent';
  const noun = rate === null && inFlight === 1 ? 'message' : 'messages';
  const unit = scenario === 'connect' ? 'connections' : `${noun} of ${what}`;
  if (rate !== null) {
    return `open loop: ${formatCount(rate)} ${unit} a second, each timed from when it was due`;
  }
  if (scenario === 'connect') return 'closed loop: each connection is opened again when it has closed';
  return `closed loop: ${inFlight} ${unit} in flight on ${scenario === 'fan-out' ? 'the publisher' : 'each connection'}`;
}

function timingLines({ timings }: Result, names: readonly Timing[], width: number): string[] {
  const rows = names.filter((name) => timings[name].count > 0).map((name) => timingRow(name, timings[name]));
  return rows.length === 0 ? [] : layOutWithin(timingTitles(), rows, { width, dispensable: DISPENSABLE });
}

function timingTitles(): string[] {
  return ['', ...PERCENTILES.map((percentile) => `${percentile}%`), 'max', 'mean', 'deviation'];
}

function timingRow(name: string, timing: Distribution): string[] {
  return [
    name,
    ...PERCENTILES.map((percentile) => formatTime(timing.percentile(percentile))),
    formatTime(timing.read({ kind: 'max' })),
    formatTime(timing.read({ kind: 'mean' })),
    formatTime(timing.read({ kind: 'deviation' })),
  ];
}

function rateLines(result: Result, width: number): string[] {
  const { plan, messageRates, byteRates, measuredMs } = result;
  if (measuredMs === 0 || result.messages === 0) return [];
  const rows = [rateRow(plan.scenario === 'connect' ? 'connections' : 'messages', messageRates, formatCount)];
  if (plan.scenario !== 'connect') rows.push(rateRow('payload', byteRates, formatBytes));
  const titles = ['per second', '1%', '2.5%', '50%', '97.5%', 'mean', 'deviation', 'least'];
  return layOutWithin(titles, rows, { width, dispensable: DISPENSABLE });
}

function rateRow(name: string, rates: Rates, format: (value: number) => string): string[] {
  const { percentiles, mean, deviation, least } = rates;
  const values = [percentiles.p1, percentiles['p2.5'], percentiles.p50, percentiles['p97.5']];
  return [name, ...[...values, mean, deviation, least].map(format)];
}

function countLines(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return [];
  return layOut(
    [title, ''],
    Array.from(counts, ([kind, count]) => [kind, formatCount(count)]),
  );
}

function summaryOf(result: Result): string {
  const { plan, messages, bytes, measuredMs, opened, busy, cpuMs } = result;
  const parts =
    plan.scenario === 'idle'
      ? []
      : plan.scenario === 'connect'
        ? [`${formatCount(messages)} connections`]
        : [`${formatCount(messages)} messages`, formatBytes(bytes)];
  parts.push(`${(measuredMs / 1000).toFixed(2)} s measured`, `${formatCount(opened)} opened`);
  parts.push(`driver ${busy.map((share) => `${Math.round(share * 100)}%`).join(' ')} busy`);
  if (messages > 0) parts.push(`${((cpuMs * 1000) / messages).toFixed(2)} µs of its CPU each`);
  return parts.join(', ');
}

function renderVerdict({ assertion, actual, holds }: Verdict): string {
  const value =
    actual === null
      ? 'nothing to measure'
      : assertion.metric.kind === 'timing'
        ? formatTime(actual)
        : formatCount(actual);
  return `${holds ? 'holds' : 'FAILS'}  ${assertion.text}  (${value})`;
}
