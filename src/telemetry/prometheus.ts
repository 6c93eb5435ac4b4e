/** Exposition of metrics in the Prometheus text format and in OpenMetrics. */
import { Registry, collectDefaultMetrics } from 'prom-client';
import type { Metric as PromMetric, OpenMetricsContentType } from 'prom-client';
import type { Metric } from './metrics/metric.ts';
import { pageMetrics, threadMetrics } from './metrics/page-metrics.ts';
import { BlockShape, type Labels } from './block-shape.ts';
import type { Block } from './page-layout.ts';
import type { PageSums } from './page-sums.ts';

/** One line of exposition. */
interface Sample {
  /** Name with its suffix; missing for the family's name. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A metric and its series, which are read at each scrape. */
export interface Family {
  readonly metric: Metric;
  readonly read: () => readonly Sample[];
}

export type ExpositionFormat = 'text' | 'openMetrics';

/** A rendered exposition, and its Content-Type. */
export interface ExpositionBody {
  readonly contentType: string;
  readonly body: string;
}

/** Returns the families of metrics that workers write. Each series is the sum over all workers. */
export function pageFamilies(sums: PageSums): Family[] {
  const metrics: readonly Metric[] = [...Object.values(pageMetrics), ...Object.values(threadMetrics)];
  let version = -1;
  let byShape: ReadonlyMap<BlockShape, readonly Block[]> = new Map();
  const blocksOf = (shape: BlockShape): readonly Block[] => {
    if (version !== sums.series.version) {
      version = sums.series.version;
      byShape = Map.groupBy(sums.series.visible(), (block) => block.shape);
    }
    return byShape.get(shape) ?? [];
  };
  return metrics.map((metric) => ({
    metric,
    read: () => samplesOf(metric, blocksOf(BlockShape.of(metric)), sums),
  }));
}

function samplesOf(metric: Metric, blocks: readonly Block[], sums: PageSums): Sample[] {
  const places = BlockShape.of(metric).places.filter((place) => place.metric === metric);
  const samples: Sample[] = [];
  for (const { labels: owner, slot } of blocks) {
    for (const { labels: own, offset } of places) {
      const labels = { ...owner, ...own };
      if (metric.kind === 'histogram') samples.push(...histogramSamples(metric, labels, slot + offset, sums));
      else {
        const value = sums.at(slot + offset);
        if (value !== 0 || metric.sparse !== true) samples.push({ labels, value });
      }
    }
  }
  return samples;
}

/** Reads a histogram. It has no samples before the first observation. */
function histogramSamples(metric: Metric, labels: Labels, slot: number, sums: PageSums): Sample[] {
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

/** Renders families, then prom-client's metrics of the process and of Node. */
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
   * Creates an object for each registry, because for OpenMetrics prom-client removes `_total` from the names of counters by
   * writing to the registered object.
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
    // prom-client only uses name, type and get(), but its type asks for one of its classes.
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
 * Served metrics of prom-client: the whole process, and the primary's event loop, heap and garbage collector. The gauges
 * `nodejs_active_*` are left out: they count the primary's libuv handles and requests, and end in `_total` against
 * Prometheus's naming rules (`promtool check metrics`).
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

/** prom-client's metrics. They observe the whole process, so one set is enough. */
function processMetrics(): Registry {
  if (shared === undefined) {
    shared = new Registry();
    // Ten times the default, whose timer would wake an idle process 100 times per second.
    collectDefaultMetrics({ register: shared, eventLoopMonitoringPrecision: 100 });
  }
  return shared;
}

/** An event loop delay without a measurement is NaN, which prom-client would write as `Nan`. */
function isNumber({ value }: Sample): boolean {
  return !Number.isNaN(value);
}

/** Writes a bucket's bound as a float, as OpenMetrics requires: `1.0`, not `1`. */
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
