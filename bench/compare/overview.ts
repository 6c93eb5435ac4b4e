import { formatBytes, formatCount, formatTime } from '../figures/readable-numbers.ts';
import { median } from '../figures/statistics.ts';
import { markdownTable } from '../figures/tables.ts';
import type { Comparison } from './comparison.ts';
import { MIN_RESUMED_SHARE, summarize, type Summary } from './summary.ts';

/** Figures that get a table each. */
const FIGURES: readonly { readonly title: string; readonly text: (summary: Summary) => string }[] = [
  { title: 'Messages, deliveries or handshakes per second', text: ({ rate }) => formatCount(rate) },
  {
    title: 'CPU of the proxy for each of them, in microseconds',
    text: ({ cpu }) => (cpu === null ? '' : cpu.toFixed(cpu < 99.95 ? 2 : 0)),
  },
  { title: 'Latency, median', text: ({ p50 }) => formatTime(p50) },
  { title: 'Latency, 99th percentile', text: ({ p99 }) => formatTime(p99) },
];

/**
 * Formats one table per figure, with all cases and targets, and a newline at the end. Marks targets that
 * failed.
 */
export function renderOverview({ cases, idle, versions }: Comparison): string {
  const names = Object.keys(versions).filter((name) => cases.some(({ ways }) => name in ways));
  const lines: string[] = [];
  const table = (titles: readonly string[], rows: readonly (readonly string[])[]): void => {
    lines.push(...markdownTable(titles, rows), '');
  };
  const summaries = cases.map(({ name, ways }) => ({
    name,
    byTarget: new Map(Object.entries(ways).map(([target, samples]) => [target, summarize(samples)])),
  }));
  for (const { title, text } of FIGURES) {
    const shown = title.startsWith('CPU') ? names.filter((name) => name !== 'direct') : names;
    lines.push(`**${title}**`, '');
    table(
      ['', ...shown],
      summaries.map(({ name, byTarget }) => [
        name,
        ...shown.map((target) => {
          const summary = byTarget.get(target);
          if (summary === undefined) return '';
          return `${text(summary)}${isDoubtful(summary) ? ' †' : ''}`;
        }),
      ]),
    );
  }
  if (idle.length > 0) {
    const shown = names.filter((name) => idle.some(({ bytes }) => name in bytes));
    lines.push('**Memory for an idle connection**', '');
    table(
      ['', ...shown],
      idle.map(({ mode, bytes }) => [
        mode,
        ...shown.map((name) => (bytes[name] === undefined ? '' : formatBytes(median(bytes[name])))),
      ]),
    );
  }
  if (summaries.some(({ byTarget }) => [...byTarget.values()].some(isDoubtful))) {
    lines.push('† with errors, closed connections, or full TLS handshakes in place of resumed ones.', '');
  }
  return lines.join('\n');
}

function isDoubtful({ failures, resumed }: Summary): boolean {
  return failures > 0 || (resumed !== null && resumed < MIN_RESUMED_SHARE);
}
