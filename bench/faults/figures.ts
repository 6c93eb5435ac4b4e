import { formatCount, formatTime } from '../figures/readable-numbers.ts';
import type { CrowdLog, Ending } from './crowd/protocol.ts';
import type { Findings } from './report.ts';
import { percentileBetween } from './timeline.ts';

type Figure = Findings['figures'][number];

/** Creates a figure from a text. */
export function figure(label: string, text: string): Figure {
  return { label, text };
}

/** Creates a figure from a time, or "never". */
export function timeFigure(label: string, ms: number | null): Figure {
  return figure(label, ms === null ? 'never' : formatTime(ms));
}

/** Creates a figure from the p99 of messages due in [from, until). */
export function p99Figure(label: string, waits: Float64Array, from: number, until: number): Figure {
  const value = percentileBetween(waits, 99, from, until);
  return figure(label, value === null ? '' : formatTime(value));
}

/** Counts endings by kind, most frequent first: `250 x 1012, 3 x 1006`, or `none`. */
export function kindsOf(endings: readonly Ending[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of endings) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${formatCount(count)} x ${kind}`).join(', ') || 'none';
}

/** Returns the sessions that ended at or after a time, before the crowd closed them. */
export function endedSince({ ends }: CrowdLog, from: number): readonly Ending[] {
  return ends.filter(({ at }) => at >= from);
}
