/**
 * Sends spans to the collector with OpenTelemetry's SDK. Loaded only with tracing: the SDK costs 20 MB and
 * 0.3 s of CPU time.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ExportResultCode } from '@opentelemetry/core';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { TracingSettings } from '../../config/types/config.ts';
import type { SpanRecord } from '../../protocol/spans.ts';
import { Collector, type ExportOwner } from './collector.ts';
import { RecordSpan, type SpanOrigin } from './record-span.ts';

/** Max queued spans: up to 12 MB. */
export const MAX_QUEUED = 4096;
/** Max spans per export. Writing them as JSON takes 1 to 5 ms of the primary's CPU time. */
const MAX_BATCH = 64;
/** Max time that a span waits for its batch to fill. */
const BATCH_MS = 1000;
/** Max time of a batch. Then the next batch is sent, even if this one is still pending. */
const BATCH_TIMEOUT_MS = 10_000;
/** Interval between checks of a queue that is being emptied. */
const POLL_MS = 20;

/** Queues spans, and exports them in batches. */
export class SpanPipeline {
  readonly #owner: ExportOwner;
  readonly #origin: SpanOrigin;
  readonly #product: string;
  readonly #processor: BatchSpanProcessor;
  #collector: Collector;
  /** Number of spans in the SDK's queue. */
  #queued = 0;
  /** Number of spans in pending exports, of any collector. */
  #inFlight = 0;
  #isClosed = false;

  /** @param version version of sluice */
  constructor(settings: TracingSettings, version: string, owner: ExportOwner) {
    this.#owner = {
      exported: (spans) => this.#isClosed || owner.exported(spans),
      failed: (spans, detail) => this.#isClosed || owner.failed(spans, detail),
    };
    this.#product = `sluice/${version}`;
    this.#origin = originOf(version);
    this.#collector = new Collector(settings, this.#product, this.#owner);
    this.#processor = new BatchSpanProcessor(this.#exporter(), {
      maxQueueSize: MAX_QUEUED,
      maxExportBatchSize: MAX_BATCH,
      scheduledDelayMillis: BATCH_MS,
      exportTimeoutMillis: BATCH_TIMEOUT_MS,
    });
  }

  /** Queues a span. Returns false if the queue is full. */
  add(record: SpanRecord): boolean {
    if (this.#queued >= MAX_QUEUED) return false;
    this.#queued++;
    this.#processor.onEnd(new RecordSpan(record, this.#origin));
    return true;
  }

  /** Sends queued and new spans to another collector. The previous collector finishes its pending exports. */
  change(settings: TracingSettings): void {
    const old = this.#collector;
    this.#collector = new Collector(settings, this.#product, this.#owner);
    old.shutdown().catch(() => undefined);
  }

  /**
   * Exports queued spans, then ends.
   *
   * @param ms max time
   * @param hurry ends the wait at once
   * @returns number of spans that are lost, including pending exports. Their results are not reported to the
   * owner
   */
  async close(ms: number, hurry: AbortSignal): Promise<number> {
    const end = performance.now() + ms;
    const isOver = (): boolean => hurry.aborted || performance.now() >= end;
    // Full batches go one after the other. All at once would block the primary.
    while (this.#queued >= MAX_BATCH && !isOver()) await delay(POLL_MS);
    if (!isOver()) this.#processor.shutdown().catch(() => undefined);
    while (this.#queued + this.#inFlight > 0 && !isOver()) await delay(POLL_MS);
    this.#isClosed = true;
    this.#collector.cut();
    return this.#queued + this.#inFlight;
  }

  /** Returns the exporter of the SDK's queue. It uses whichever collector is current. */
  #exporter(): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) => {
        if (this.#isClosed) {
          done({ code: ExportResultCode.FAILED });
          return;
        }
        this.#queued -= spans.length;
        this.#inFlight += spans.length;
        this.#collector.export(spans, (result) => {
          this.#inFlight -= spans.length;
          done(result);
        });
      },
      forceFlush: () => this.#collector.forceFlush(),
      shutdown: () => this.#collector.shutdown(),
    };
  }
}

/** Describes this process. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence. */
function originOf(version: string): SpanOrigin {
  const own = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'sluice',
    [ATTR_SERVICE_VERSION]: version,
    [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  });
  const configured = detectResources({ detectors: [envDetector] });
  return { resource: defaultResource().merge(own).merge(configured), scope: { name: 'sluice', version } };
}
