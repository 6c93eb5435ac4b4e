import { formatBytes, formatCount } from '../report/quantity.ts';
import { markdownTable } from '../report/markdown-table.ts';
import { fitLine, type Line, type Point } from './line.ts';
import type { SessionPoint } from './measurement.ts';

/** What sessions and messages cost: plain data, as it is kept in a file and shown on the page. */
export interface ScalingReport {
  readonly date: string;
  readonly machine: string;
  readonly sessions: readonly SessionPoint[];
  readonly fits: readonly Fit[];
}

export interface Fit {
  readonly name: 'memory' | 'kernel' | 'idle' | 'busy' | 'rate';
  readonly title: string;
  readonly text: string;
  readonly x: string;
  readonly y: string;
  readonly points: readonly Point[];
  readonly fit: Line & { readonly text: string };
}

/** Sessions that the costs are carried on to. */
const MILLION = 1_000_000;

/** Fits the lines. @param idleTimeoutSeconds that was in force, in which both sides are pinged once or twice */
export function fitAll(
  sessions: readonly SessionPoint[],
  rates: readonly Point[],
  idleTimeoutSeconds: number,
  rate: number,
): Fit[] {
  const over = (of: (point: SessionPoint) => number): Point[] =>
    sessions.map((point) => [point.sessions, of(point)]);
  const perThousand = (slope: number): string => `${(slope * 1000).toFixed(3)}% of a core for 1,000 sessions`;
  return [
    fit(
      'memory',
      'Memory',
      'Of the process, by idle sessions.',
      'sessions',
      'MB',
      over(({ memory }) => memory / 1e6),
      (slope) => `${formatBytes(slope * 1e6)} a session`,
    ),
    fit(
      'kernel',
      'Memory in the kernel',
      'Of the two sockets of each session.',
      'sessions',
      'MB',
      over(({ kernel }) => kernel / 1e6),
      (slope) => `${formatBytes(slope * 1e6)} a session`,
    ),
    fit(
      'idle',
      'CPU of idle sessions',
      `Pings of an idle timeout of ${idleTimeoutSeconds} s.`,
      'sessions',
      '% of a core',
      over(({ idleCpu }) => idleCpu * 100),
      perThousand,
    ),
    fit(
      'busy',
      'CPU with messages, by sessions',
      `${formatCount(rate)} messages a second over all sessions.`,
      'sessions',
      '% of a core',
      over(({ busyCpu }) => busyCpu * 100),
      perThousand,
    ),
    fit(
      'rate',
      'CPU by messages',
      'Messages of 32 bytes, each echoed, over 1,000 sessions.',
      'messages a second',
      '% of a core',
      rates.map(([x, cores]) => [x, cores * 100]),
      (slope) => `${(slope * 1e4).toFixed(1)} µs a message`,
    ),
  ];
}

function fit(
  name: Fit['name'],
  title: string,
  text: string,
  x: string,
  y: string,
  points: readonly Point[],
  describe: (slope: number) => string,
): Fit {
  const line = fitLine(points);
  return { name, title, text, x, y, points, fit: { ...line, text: describe(line.slope) } };
}

/** The report as Markdown; ends in a newline. */
export function renderScaling({ date, machine, sessions, fits }: ScalingReport): string {
  const percent = (cores: number): string => `${(cores * 100).toFixed(2)}%`;
  const line = (name: Fit['name']): Line => fits.find((one) => one.name === name)!.fit;
  const cells = sessions.map((point) => [
    formatCount(point.sessions),
    String(point.processes),
    formatBytes(point.memory),
    formatBytes(point.kernel),
    percent(point.idleCpu),
    percent(point.busyCpu),
  ]);
  const lines = fits.map((one) => [
    one.title,
    one.fit.text,
    `${Number(one.fit.intercept.toPrecision(3))} ${one.y}`,
    one.fit.r2.toFixed(4),
  ]);
  const at = (name: Fit['name']): number => line(name).slope * MILLION;
  return [
    `${date}, ${machine}.`,
    '',
    ...markdownTable(['sessions', 'processes', 'memory', 'in the kernel', 'idle CPU', 'busy CPU'], cells),
    '',
    ...markdownTable(['line', 'slope', 'at 0', 'R²'], lines),
    '',
    `Carried on to ${formatCount(MILLION)} sessions: ${formatBytes(at('memory') * 1e6)} of processes and ` +
      `${formatBytes(at('kernel') * 1e6)} in the kernel, ${(at('idle') / 100).toFixed(2)} cores while idle.`,
    '',
  ].join('\n');
}
