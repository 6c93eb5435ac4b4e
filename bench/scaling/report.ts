import { formatBytes, formatCount } from '../figures/readable-numbers.ts';
import { fitLine, type Line, type Point } from '../figures/statistics.ts';
import { markdownTable } from '../figures/tables.ts';
import type { BatchPoint, SessionPoint } from './measurement.ts';

/** The cost of sessions and messages, as plain data for a file and the page. */
export interface ScalingReport {
  readonly date: string;
  readonly machine: string;
  readonly sessions: readonly SessionPoint[];
  /** Cores in use, by messages per second. The messages arrive one at a time. */
  readonly rates: readonly Point[];
  readonly fits: readonly Fit[];
}

export interface Fit {
  readonly name: 'memory' | 'kernel' | 'idle' | 'batch';
  readonly title: string;
  readonly text: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly Point[];
  readonly fit: Line & { readonly text: string };
}

/** Sessions in the extrapolation of the costs. */
const MILLION = 1_000_000;
/** Default idle timeout of the proxy. */
const USUAL_IDLE_SECONDS = 120;

/**
 * Fits the lines.
 *
 * @param idleSeconds idle timeout during the measurement. Both sides of a session are pinged within it
 */
export function fitAll(
  sessions: readonly SessionPoint[],
  batches: readonly BatchPoint[],
  idleSeconds: number,
): Fit[] {
  // Figures for several processes are divided by their number.
  const each = (of: (point: SessionPoint) => number): Point[] =>
    sessions.map((point) => [point.sessions / point.processes, of(point) / point.processes]);
  const usual = (slope: number): number => (slope * idleSeconds) / USUAL_IDLE_SECONDS;
  return [
    fit({
      name: 'memory',
      title: 'Memory',
      text: 'Memory of a process, by its idle sessions.',
      x: 'sessions',
      y: 'MB',
      points: each(({ memory }) => memory / 1e6),
      describe: (slope) => `${formatBytes(slope * 1e6)} a session`,
    }),
    fit({
      name: 'kernel',
      title: 'Memory in the kernel',
      text: 'Kernel memory of the two sockets of each session.',
      x: 'sessions',
      y: 'MB',
      points: sessions.map(({ sessions: count, kernel }) => [count, kernel / 1e6]),
      describe: (slope) => `${formatBytes(slope * 1e6)} a session`,
    }),
    fit({
      name: 'idle',
      title: 'CPU of idle sessions',
      text: `CPU time of a process, with an idle timeout of ${idleSeconds} s: both sides of each session are pinged within it.`,
      x: 'sessions',
      y: '% of a core',
      points: each(({ idleCpu }) => idleCpu * 100),
      describe: (slope) =>
        `${(slope * 1000).toFixed(3)}% of a core for 1,000 sessions (${(usual(slope) * 1000).toFixed(3)}% with the ` +
        `default of ${USUAL_IDLE_SECONDS} s)`,
    }),
    fit({
      name: 'batch',
      title: 'CPU of messages that come together',
      text: 'CPU time of a batch, there and back, by its 32-byte messages in flight on each connection.',
      x: 'messages',
      y: 'µs',
      points: batches.map(({ messages, cpu }) => [messages, cpu]),
      describe: (slope) => `${slope.toFixed(2)} µs a message`,
    }),
  ];
}

interface FitInput extends Omit<Fit, 'fit'> {
  readonly describe: (slope: number) => string;
}

function fit({ describe, ...rest }: FitInput): Fit {
  const line = fitLine(rest.points);
  return { ...rest, fit: { ...line, text: describe(line.slope) } };
}

/** Formats the report as Markdown, with a newline at the end. */
export function renderScaling({ date, machine, sessions, rates, fits }: ScalingReport): string {
  const percent = (cores: number): string => `${(cores * 100).toFixed(2)}%`;
  const at = (name: Fit['name']): number => fits.find((one) => one.name === name)!.fit.slope * MILLION;
  return [
    `${date}, ${machine}.`,
    '',
    ...markdownTable(
      ['sessions', 'processes', 'memory', 'in the kernel', 'idle CPU', 'busy CPU'],
      sessions.map((point) => [
        formatCount(point.sessions),
        String(point.processes),
        formatBytes(point.memory),
        formatBytes(point.kernel),
        percent(point.idleCpu),
        percent(point.busyCpu),
      ]),
    ),
    '',
    ...markdownTable(
      ['line', 'slope', 'at 0', 'R²'],
      fits.map((one) => [
        one.title,
        one.fit.text,
        `${Number(one.fit.intercept.toPrecision(3))} ${one.y}`,
        one.fit.r2.toFixed(4),
      ]),
    ),
    '',
    ...markdownTable(
      ['messages a second, each on its own', 'CPU', 'each'],
      rates.map(([rate, cores]) => [
        formatCount(rate),
        percent(cores),
        `${((cores * 1e6) / rate).toFixed(1)} µs`,
      ]),
    ),
    '',
    `Carried on to ${formatCount(MILLION)} sessions: ${formatBytes(at('memory') * 1e6)} of processes and ` +
      `${formatBytes(at('kernel') * 1e6)} in the kernel, ${(at('idle') / 100).toFixed(2)} cores while idle.`,
    '',
  ].join('\n');
}
