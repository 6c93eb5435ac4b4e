/** Metrics of the process and of Node, from prom-client. */
import { Registry, collectDefaultMetrics } from 'prom-client';
import { withoutPeriod } from './event-loop-lag.ts';
import type { Sample } from './family.ts';

/** A prom-client family with its samples. */
export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

interface Collected {
  readonly name: string;
  get(): Promise<ReadFamily>;
}

/**
 * Prefixes of the prom-client metrics to serve: the whole process, and the primary's event loop, heap and
 * garbage collector. `nodejs_active_*` is excluded: it counts the primary's libuv handles and requests, and
 * its gauges end in `_total`, against Prometheus's naming rules (`promtool check metrics`).
 */
const PROCESS_METRICS = [
  'process_',
  'nodejs_eventloop_lag_',
  'nodejs_heap_',
  'nodejs_external_memory_',
  'nodejs_gc_',
  'nodejs_version_info',
] as const;

/**
 * Period of the timer that measures the event loop. prom-client's default of 10 ms would wake an idle process
 * 100 times per second.
 */
const LAG_PERIOD_MS = 100;

let collected: readonly Collected[] | undefined;

/** Reads the metrics. They describe the whole process, so one set is enough. */
export function readProcessFamilies(): Promise<readonly ReadFamily[]> {
  collected ??= collect();
  return Promise.all(
    collected.map(async (metric) => {
      const family = await metric.get();
      return { ...family, values: withoutPeriod(family.name, family.values, LAG_PERIOD_MS) };
    }),
  );
}

/** Starts observing the process. */
export function observeProcess(): void {
  collected ??= collect();
}

function collect(): readonly Collected[] {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PERIOD_MS });
  const all = registry.getMetricsAsArray() as unknown as readonly Collected[];
  return all.filter(({ name }) => PROCESS_METRICS.some((prefix) => name.startsWith(prefix)));
}
