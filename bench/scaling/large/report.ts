import { formatBytes, formatCount, formatTime } from '../../figures/readable-numbers.ts';
import { markdownTable } from '../../figures/tables.ts';
import type { CostLine } from './cost-lines.ts';
import type { MetricsFigures, ReloadFigures, StartFigures } from './measurement.ts';
import type { LargeSizes } from './sizes.ts';

/** The figures of one proxy. Unmeasured figures are absent. */
export interface PeerFigures {
  readonly name: string;
  readonly version: string;
  readonly start?: StartFigures;
  readonly reloads?: ReloadFigures;
  readonly metrics?: MetricsFigures;
}

/** The cost of a large configuration. */
export interface LargeReport {
  readonly date: string;
  readonly machine: string;
  readonly sizes: LargeSizes;
  readonly peers: readonly PeerFigures[];
  readonly lines: readonly CostLine[];
}

/** Formats the report as Markdown, with a newline at the end. */
export function renderLarge({ date, machine, sizes, peers, lines }: LargeReport): string {
  const { clusters, endpoints, routes, workers } = sizes;
  const parts = [
    `${date}, ${machine}. ${formatCount(routes)} routes over ${formatCount(clusters)} clusters of ` +
      `${formatCount(endpoints)} endpoints, ${workers} workers at layer 7.`,
  ];
  const rows = figureRows(peers);
  if (rows.length > 0) {
    const titles = ['', ...peers.map(({ name, version }) => `${name} ${version}`)];
    parts.push(markdownTable(titles, rows).join('\n'));
  }
  if (lines.length > 0) parts.push(markdownTable(LINE_TITLES, lines.map(lineRow)).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

const LINE_TITLES = ['one more', 'memory', 'CPU until ready', 'measured with'];

function lineRow({ dimension, memory, readyCpuMs, counts }: CostLine): string[] {
  return [
    dimension,
    signed(memory, formatBytes),
    signed(readyCpuMs, formatTime),
    counts.map((count) => formatCount(count)).join(', '),
  ];
}

/** Formats a slope with its sign. Noise may make a small slope negative. */
function signed(value: number, format: (value: number) => string): string {
  return value < 0 ? `-${format(-value)}` : format(value);
}

type Cell = (figures: PeerFigures) => string | undefined;

/** Returns one row for each figure that at least one proxy has. */
function figureRows(peers: readonly PeerFigures[]): string[][] {
  const reloads = Math.max(0, ...peers.map((peer) => peer.reloads?.reloads ?? 0));
  const time = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : formatTime(value);
  const bytes = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : formatBytes(value);
  const rows: readonly (readonly [string, Cell])[] = [
    ['ready after', ({ start }) => time(start?.readyMs)],
    ['CPU until then', ({ start }) => time(start?.readyCpuMs)],
    ['memory', ({ start }) => bytes(start?.memory)],
    [`memory after ${reloads} reloads`, (peer) => bytes(peer.reloads?.memory)],
    ['a changed route is in force after', (peer) => time(peer.reloads?.inForceMs.median)],
    ['the slowest of them', (peer) => time(peer.reloads?.inForceMs.max)],
    ['longest answer of a worker during reloads', (peer) => time(peer.reloads?.holds.workers)],
    ['the same while nothing happens', (peer) => time(peer.reloads?.calm.workers)],
    ['longest answer of the primary during reloads', (peer) => time(peer.reloads?.holds.primary)],
    ['the same while nothing happens', (peer) => time(peer.reloads?.calm.primary)],
    ['longest delay of the measuring clients themselves', (peer) => time(peer.reloads?.holds.clients)],
    ['requests that failed during reloads', (peer) => peer.reloads?.holds.failures.toString()],
    ['size of `/metrics`', ({ metrics }) => bytes(metrics?.bytes)],
    ['time of `/metrics`', ({ metrics }) => time(metrics?.ms)],
    ['longest answer of the primary beside it', ({ metrics }) => time(metrics?.holds.primary)],
    ['longest answer of a worker beside it', ({ metrics }) => time(metrics?.holds.workers)],
  ];
  return rows.flatMap(([title, cell]) => {
    const cells = peers.map(cell);
    return cells.some((text) => text !== undefined) ? [[title, ...cells.map((text) => text ?? '')]] : [];
  });
}
