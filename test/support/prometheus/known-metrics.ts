/** The metrics that a query may ask for: those of the source, and what Prometheus and rules add. */
import assert from 'node:assert/strict';
import { readProcessFamilies } from '../../../src/telemetry/exposition/process-families.ts';
import { ADMIN_REFUSALS, ENDPOINT_STATES } from '../../../src/telemetry/metrics/label-values.ts';
import type { Metric } from '../../../src/telemetry/metrics/metric.ts';
import { pageMetrics, threadMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { pageShapes } from '../../../src/telemetry/metrics/page-shapes.ts';
import { primaryMetrics } from '../../../src/telemetry/metrics/primary-metrics.ts';
import { readQuery } from './promql.ts';

/** The values of each label; null for a label whose values a configuration chooses. */
type LabelValues = ReadonlyMap<string, ReadonlySet<string> | null>;

/** Labels that Prometheus adds to every series. */
const TARGET_LABELS = ['job', 'instance'] as const;
const PRIMARY_VALUES = new Map<Metric, readonly (readonly [string, readonly string[]])[]>([
  [primaryMetrics.adminRefusals, [['reason', ADMIN_REFUSALS]]],
  [primaryMetrics.clusterEndpoints, [['state', ENDPOINT_STATES]]],
]);

export class KnownMetrics {
  readonly #labels = new Map<string, LabelValues>([['up', new Map()]]);

  static async read(): Promise<KnownMetrics> {
    const known = new KnownMetrics();
    for (const { name } of await readProcessFamilies()) known.#labels.set(name, new Map());
    for (const metrics of [pageMetrics, threadMetrics, primaryMetrics]) {
      for (const metric of Object.values<Metric>(metrics)) known.#add(metric);
    }
    return known;
  }

  #add(metric: Metric): void {
    const values = new Map<string, Set<string> | null>(metric.labels.map((label) => [label, null]));
    for (const [label, all] of PRIMARY_VALUES.get(metric) ?? []) values.set(label, new Set(all));
    const places = Object.values(pageShapes).flatMap((shape) => shape.series);
    for (const place of places) {
      if (place.metric !== metric) continue;
      for (const [label, value] of Object.entries(place.labels)) {
        values.set(label, (values.get(label) ?? new Set()).add(value));
      }
    }
    if (metric.kind !== 'histogram') {
      this.#labels.set(metric.name, values);
      return;
    }
    for (const suffix of ['_sum', '_count']) this.#labels.set(`${metric.name}${suffix}`, values);
    this.#labels.set(`${metric.name}_bucket`, new Map([...values, ['le', null]]));
  }

  /** Makes the result of a recording rule known. */
  record(name: string, query: string): void {
    this.check(query);
    const { selectors, labels } = readQuery(query);
    const all = selectors.flatMap(({ metric }) => [...this.#labels.get(metric)!.keys()]);
    const kept = labels.length === 0 ? all : labels.filter((label) => label !== 'le');
    this.#labels.set(name, new Map(kept.map((label) => [label, null])));
  }

  /** Refuses a query that asks for a metric, a label or a value that does not exist. */
  check(query: string): void {
    const { selectors, labels } = readQuery(query);
    assert.ok(selectors.length > 0, `${query} asks for no metric`);
    const all = new Set<string>(TARGET_LABELS);
    for (const { metric, matchers } of selectors) {
      const known = this.#labels.get(metric);
      assert.ok(known !== undefined, `there is no metric ${metric}: ${query}`);
      for (const label of known.keys()) all.add(label);
      for (const { label, operator, value } of matchers) {
        if ((TARGET_LABELS as readonly string[]).includes(label)) continue;
        const values = known.get(label);
        assert.ok(values !== undefined, `${metric} has no label ${label}: ${query}`);
        if (values === null) continue;
        const matches = valueTest(operator, value);
        assert.ok([...values].some(matches), `${metric} has no ${label} like ${value}: ${query}`);
        const alternatives = /^[\w|]+$/.test(value) ? value.split('|') : [];
        for (const one of alternatives) {
          assert.ok(values.has(one), `${metric} has no ${label} ${one}: ${query}`);
        }
      }
    }
    for (const label of labels) assert.ok(all.has(label), `no metric of the query has ${label}: ${query}`);
  }
}

function valueTest(operator: string, value: string): (text: string) => boolean {
  const isEqual = operator.includes('~')
    ? (text: string) => new RegExp(`^(?:${value})$`).test(text)
    : (text: string) => text === value;
  return operator.startsWith('!') ? (text) => !isEqual(text) : isEqual;
}
