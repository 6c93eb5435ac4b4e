import type { Family } from '../../../telemetry/exposition/family.ts';
import { primaryMetrics } from '../../../telemetry/metrics/primary-metrics.ts';
import type { KeySets } from './key-sets.ts';

/** Sums over all sets with one label. Two URLs that differ only in their queries share a label. */
interface LabelledSets {
  success: number;
  failure: number;
  /** Age of the oldest set; null if none was fetched yet. */
  ageMs: number | null;
}

/** Returns the metrics of fetched key sets. */
export function keySetFamilies(keySets: Pick<KeySets, 'all'>): Family[] {
  return [
    {
      metric: primaryMetrics.keySetFetches,
      read: () =>
        [...byLabel(keySets)].flatMap(([url, { success, failure }]) => [
          { labels: { url, result: 'success' }, value: success },
          { labels: { url, result: 'failure' }, value: failure },
        ]),
    },
    {
      metric: primaryMetrics.keySetAge,
      read: () =>
        [...byLabel(keySets)].flatMap(([url, { ageMs }]) =>
          ageMs === null ? [] : [{ labels: { url }, value: ageMs / 1000 }],
        ),
    },
  ];
}

function byLabel({ all }: Pick<KeySets, 'all'>): ReadonlyMap<string, LabelledSets> {
  const sums = new Map<string, LabelledSets>();
  for (const { label, results, ageMs } of all) {
    const sum = sums.get(label) ?? { success: 0, failure: 0, ageMs: null };
    sum.success += results.success;
    sum.failure += results.failure;
    if (ageMs !== null) sum.ageMs = Math.max(sum.ageMs ?? 0, ageMs);
    sums.set(label, sum);
  }
  return sums;
}
