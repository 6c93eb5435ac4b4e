/** Exposition of metrics in the Prometheus text format and in OpenMetrics. */
import { Registry, collectDefaultMetrics } from 'prom-client';
import type { Metric as PromMetric, OpenMetricsContentType } from 'prom-client';
import { pageMetrics, threadMetrics } from './metrics/page-metrics.ts';
import type { Metric } from './metrics/metric.ts';
import type { Series } from './page-layout.ts';
import type { PageSums } from './page-sums.ts';

/** One line of exposition. */
interface Sample {
  /** With the suffix, where it is not the family's own name. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric and all of its series, read when they are scraped. */
export interface Family {
  readonly metric: Metric;
  readonly read: () => readonly Sample[];
}

export type ExpositionFormat = 'text' | 'openMetrics';

export interface ExpositionBody {
  readonly contentType: string;
  readonly body: string;
}

/** The families of metrics that workers write, each series the sum over all workers. */
export function pageFamilies(sums: PageSums): Family[] {
  const metrics: readonly Metric[] = [...Object.values(pageMetrics), ...Object.values(threadMetrics)];
  let version = -1;
  let byMetric: ReadonlyMap<Metric, readonly Series[]> = new Map();
  const seriesOf = (metric: Metric): readonly Series[] => {
    if (version !== sums.series.version) {
      version = sums.series.version;
      byMetric = Map.groupBy(sums.series.visible(), ({ metric }) => metric);
    }
    return byMetric.get(metric) ?? [];
  };
  return metrics.map((metric) => ({
    metric,
    read: () =>
      metric.kind === 'histogram'
        ? seriesOf(metric).flatMap((series) => histogramSamples(series, sums))
        : seriesOf(metric).flatMap(({ labels, slot }) => {
            const value = sums.at(slot);
            return value === 0 && metric.sparse === true ? [] : [{ labels, value }];
          }),
  }));
}

/** Reads a histogram; it has no samples before the first observation. */
function histogramSamples({ metric, labels, slot }: Series, sums: PageSums): Sample[] {
  const buckets = metric.buckets ?? [];
  const samples: Sample[] = [];
  let count = 0;
  for (let index = 0; index <= buckets.length; index++) {
    count += sums.at(slot + index);
    const le = index < buckets.length ? String(buckets[index]) : '+Inf';
    samples.push({ metricName: `${metric.name}_bucket`, labels: { ...labels, le }, value: count });
  }
  if (count === 0) return [];
  samples.push({ metricName: `${metric.name}_sum`, labels, value: sums.at(slot + buckets.length + 1) });
  samples.push({ metricName: `${metric.name}_count`, labels, value: count });
  return samples;
}

/** Renders families, and prom-client's process and Node metrics after them. */
export class Exposition {
  readonly #text = new Registry();
  readonly #openMetrics = new Registry<OpenMetricsContentType>();

  constructor(families: readonly Family[]) {
    this.#openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const { metric, read } of families) {
      const { name, help, kind: type } = metric;
      this.#register(name, type, () => Promise.resolve({ name, help, type, values: read() }));
    }
    for (const metric of processMetrics().getMetricsAsArray()) {
      const { name, type } = metric as unknown as { name: string; type: string };
      if (!isProcessMetric(name)) continue;
      this.#register(name, type, () => (metric as unknown as Collected).get());
    }
  }

  async render(format: ExpositionFormat): Promise<ExpositionBody> {
    const registry = format === 'openMetrics' ? this.#openMetrics : this.#text;
    return { contentType: registry.contentType, body: await registry.metrics() };
  }

  /**
   * Each registry gets an object of its own, because prom-client takes `_total` off the names of counters in
   * OpenMetrics by writing to the object that was registered.
   */
  #register(name: string, type: string, get: () => Promise<FamilySamples>): void {
    const text = {
      name,
      type,
      get: async () => {
        const family = await get();
        return { ...family, values: family.values.filter(isNumber) };
      },
    };
    const openMetrics = {
      name,
      type,
      get: async function (this: { name: string }) {
        const family = await get();
        return { ...family, name: this.name, values: family.values.filter(isNumber).map(canonicalBound) };
      },
    };
    // prom-client calls name, type and get() only; its type asks for one of its own classes.
    this.#text.registerMetric(text as unknown as PromMetric);
    this.#openMetrics.registerMetric(openMetrics as unknown as PromMetric);
  }
}

interface FamilySamples {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

interface Collected {
  get(): Promise<FamilySamples>;
}

let shared: Registry | undefined;

/**
 * Metrics of prom-client that are served: the whole process, and the primary's event loop, heap and garbage collector.
 * `nodejs_active_*` count libuv handles and requests of the primary, whose gauges end in `_total` against the
 * naming rules of Prometheus (`promtool check metrics`).
 */
const PROCESS_METRICS = [
  'process_',
  'nodejs_eventloop_lag_',
  'nodejs_heap_',
  'nodejs_external_memory_',
  'nodejs_gc_',
  'nodejs_version_info',
] as const;

function isProcessMetric(name: string): boolean {
  return PROCESS_METRICS.some((prefix) => name.startsWith(prefix));
}

/** prom-client's own metrics: observers of the whole process, of which one set is enough. */
function processMetrics(): Registry {
  if (shared === undefined) {
    shared = new Registry();
    // Ten times its default: the timer behind it would wake an idle process a hundred times a second.
    collectDefaultMetrics({ register: shared, eventLoopMonitoringPrecision: 100 });
  }
  return shared;
}

/** An event loop delay without any measurement is no number, and prom-client would write it as `Nan`. */
function isNumber({ value }: Sample): boolean {
  return !Number.isNaN(value);
}

/** OpenMetrics wants a bucket's bound as a float: `1.0`, not `1`. */
function canonicalBound(sample: Sample): Sample {
  const le = sample.labels.le;
  if (le === undefined || !/^\d+$/.test(String(le))) return sample;
  return { ...sample, labels: { ...sample.labels, le: `${le}.0` } };
}

/**
 * Chooses the format that an `Accept` header prefers: OpenMetrics if the header names it with at least the quality of
 * plain text (RFC 9110, 12.5.1).
 */
export function preferredFormat(accept: string): ExpositionFormat {
  let openMetrics = 0;
  let plain = 0;
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const q = quality === undefined ? 1 : Number(quality.slice(2)) || 0;
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, q);
    else if (type === 'text/plain') plain = Math.max(plain, q);
  }
  return openMetrics > 0 && openMetrics >= plain ? 'openMetrics' : 'text';
}
