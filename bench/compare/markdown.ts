import { formatBytes, formatCount, formatTime } from '../figures/readable-numbers.ts';
import { median } from '../figures/statistics.ts';
import { markdownTable } from '../figures/tables.ts';
import type { Comparison } from './comparison.ts';
import type { Sample } from './sample.ts';
import { MIN_RESUMED_SHARE, summarize, type Summary } from './summary.ts';

/** Baseline of the ratio columns. */
const REFERENCE = 'nginx';

/** Formats a comparison as Markdown tables, with a newline at the end. */
export function renderMarkdown(comparison: Comparison): string {
  const { date, machine, versions, missing, rounds, durationMs, pinned, cases, idle } = comparison;
  const targets = Object.entries(versions).map(([name, version]) => `${name} ${version}`.trim());
  const lines = [
    `${date}, ${machine}. ${targets.join(', ')}. Medians of ${rounds} rounds of ${(durationMs / 1000).toFixed(1)} s, ` +
      (pinned ? 'proxy on one core, driver and endpoint on another.' : 'cores not pinned.'),
  ];
  if (missing.length > 0) lines.push('', `Not compared: ${missing.join(', ')}.`);
  for (const { name, ways: samples } of cases) {
    lines.push('', `**${name}**`, '', ...markdownTable(TITLES, rowsOf(samples)));
  }
  if (idle.length > 0) {
    const names = [...new Set(idle.flatMap(({ bytes }) => Object.keys(bytes)))];
    const rows = idle.map(({ mode, bytes }) => [
      mode,
      ...names.map((name) => (bytes[name] === undefined ? '' : formatBytes(median(bytes[name])))),
    ]);
    lines.push('', '**Memory for an idle connection**', '', ...markdownTable(['', ...names], rows));
  }
  return `${lines.join('\n')}\n`;
}

const TITLES = [
  '',
  'a second',
  'spread',
  'p50',
  'p99',
  'p99.9',
  'p50 over direct',
  'CPU each',
  'spread',
  `rate / ${REFERENCE}`,
  `CPU / ${REFERENCE}`,
];

function rowsOf(samples: Readonly<Record<string, readonly Sample[]>>): string[][] {
  const targets = Object.entries(samples).map(([name, all]) => [name, summarize(all)] as const);
  const { [REFERENCE]: reference, direct } = Object.fromEntries(targets);
  const referenceCpu = reference?.cpu ?? null;
  return targets.map(([name, summary]) => {
    const { rate, rateSpread, p50, p99, p999, cpu, cpuSpread } = summary;
    return [
      name + remarkOn(summary),
      formatCount(rate),
      percent(rateSpread),
      formatTime(p50),
      formatTime(p99),
      formatTime(p999),
      direct === undefined || name === 'direct' ? '' : signed(p50 - direct.p50),
      cpu === null ? '' : `${cpu.toFixed(2)} µs`,
      cpu === null ? '' : percent(cpuSpread),
      reference === undefined || reference.rate === 0 || name === 'direct'
        ? ''
        : (rate / reference.rate).toFixed(2),
      cpu === null || referenceCpu === null ? '' : (cpu / referenceCpu).toFixed(2),
    ];
  });
}

/** Returns a remark about doubtful figures; empty if there are none. */
function remarkOn({ failures, resumed }: Summary): string {
  const remarks: string[] = [];
  if (failures > 0) remarks.push(`${formatCount(failures)} failures`);
  if (resumed !== null && resumed < MIN_RESUMED_SHARE) remarks.push(`${percent(resumed)} resumed`);
  return remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function signed(ms: number): string {
  return ms < 0 ? `-${formatTime(-ms)}` : `+${formatTime(ms)}`;
}
