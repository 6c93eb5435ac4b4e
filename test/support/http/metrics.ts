/** The metrics of a running sluice. */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { parseExposition, type ParsedFamily } from '../../unit/telemetry/exposition-parser.ts';
import { eventually, within } from '../deadline.ts';
import type { SluiceProcess } from '../processes/sluice-process.ts';

/** Names of samples that are missing before the first count. */
const SPARSE: ReadonlySet<string> = new Set(
  (Object.values(pageMetrics) as readonly Metric[]).flatMap(({ name, kind, sparse }) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : sparse === true ? [name] : [],
  ),
);

export class Metrics {
  readonly #families: ReadonlyMap<string, ParsedFamily>;

  constructor(families: ReadonlyMap<string, ParsedFamily>) {
    this.#families = families;
  }

  /**
   * Sums the samples that have these labels among theirs. Throws if there is none, but returns 0 for a metric whose series
   * appear with their first count.
   */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const family = this.#families.get(name.replace(/_(?:count|sum|bucket)$/, '')) ?? this.#families.get(name);
    const samples = (family?.samples ?? []).filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    if (samples.length === 0 && family !== undefined && SPARSE.has(name)) return 0;
    if (samples.length === 0) throw new Error(`no sample of ${name} has ${JSON.stringify(labels)}`);
    return samples.reduce((sum, sample) => sum + sample.value, 0);
  }
}

/** Scrapes on a new connection, and closes it. The metrics are rendered after the call. */
export async function scrape(sluice: SluiceProcess): Promise<Metrics> {
  const body = new Promise<string>((settle, fail) => {
    const options = { agent: false, headers: { 'cache-control': 'no-cache' } };
    const request = get(`http://${sluice.admin}/metrics`, options, (response) => {
      text(response).then(settle, fail);
    });
    request.once('error', fail);
  });
  return new Metrics(parseExposition(await within('the metrics', body), 'text'));
}

/** Waits until all of these gauges are 0, and returns the metrics of that moment. */
export function settled(sluice: SluiceProcess, gauges: readonly string[]): Promise<Metrics> {
  return eventually(async () => {
    const metrics = await scrape(sluice);
    for (const gauge of gauges) {
      const value = metrics.sum(gauge);
      if (value !== 0) throw new Error(`${gauge} is ${value}, and nothing should be left`);
    }
    return metrics;
  });
}
