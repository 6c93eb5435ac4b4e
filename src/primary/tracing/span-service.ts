import { isDeepStrictEqual } from 'node:util';
import type { TracingSettings } from '../../config/types/config.ts';
import { messageOf } from '../../core/errors.ts';
import { version } from '../../core/version.ts';
import type { SpanRecord } from '../../protocol/spans.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TRACE_DROPS } from '../../telemetry/metrics/label-values.ts';

/** Queues spans for a collector: see `span-pipeline.ts`. */
interface Pipeline {
  add(record: SpanRecord): boolean;
  change(settings: TracingSettings): void;
  close(ms: number, hurry: AbortSignal): Promise<number>;
}

/** Loads the SDK, and creates a pipeline. */
export type LoadPipeline = (
  settings: TracingSettings,
  owner: { exported(spans: number): void; failed(spans: number, detail: string): void },
) => Promise<Pipeline>;

interface SpanServiceParts {
  readonly log: Logger;
  readonly load: LoadPipeline;
  /** Called with each span that is queued for export. */
  readonly onQueued: (span: SpanRecord) => void;
}

/** Max spans that wait while the SDK loads. */
const MAX_EARLY_SPANS = 1024;
/** Max time that the shutdown, or the end of tracing, waits for exports. */
const MAX_FLUSH_MS = 2000;
/** Max time for exports if the process must end at once. A nearby collector answers within this time. */
const MAX_HURRIED_FLUSH_MS = 200;
const FAILED = 'export of spans failed';
const NO_ANSWER = 'the collector did not answer before the end';
/** One log line about failed exports per minute. */
const FAILURE_LINES = { burst: 1, everyMs: 60_000 };

/** Receives the workers' spans, and exports them. A reload can start, change and end exports. */
export class SpanService {
  readonly counts = { exported: 0, dropped: { worker: 0, queue: 0, export: 0 } } satisfies {
    exported: number;
    dropped: Record<(typeof TRACE_DROPS)[number], number>;
  };
  readonly #log: Logger;
  readonly #load: LoadPipeline;
  readonly #onQueued: (span: SpanRecord) => void;
  readonly #failureLines = new LineLimit(undefined, FAILURE_LINES);
  #settings: TracingSettings | null = null;
  /** Null without tracing, and while the SDK loads. */
  #pipeline: Pipeline | null = null;
  #early: SpanRecord[] = [];
  #flushMs = MAX_FLUSH_MS;
  /** Cuts the wait for the last exports short; null if there is no wait. */
  #flush: AbortController | null = null;
  /** Settles after the last change. */
  #changed: Promise<void> = Promise.resolve();

  constructor({ log, load, onQueued }: SpanServiceParts) {
    this.#log = log;
    this.#load = load;
    this.#onQueued = onQueued;
  }

  /** Handles the spans of a worker. @param dropped number of spans that the worker dropped */
  take(spans: readonly SpanRecord[], dropped: number): void {
    this.counts.dropped.worker += dropped;
    if (this.#settings === null) return;
    for (const span of spans) this.#takeOne(span);
  }

  /** Applies settings. Null ends tracing. Queued spans go to the new collector. */
  apply(settings: TracingSettings | null): void {
    const before = this.#settings;
    this.#settings = settings;
    if (settings === null) {
      if (before !== null) this.#next(() => this.#close());
    } else if (before === null) {
      this.#next(() => this.#open());
    } else if (!isSameCollector(before, settings)) {
      this.#next(() => this.#change(settings));
    }
  }

  /** Exports queued spans within a time limit, then ends. */
  async stop(): Promise<void> {
    this.apply(null);
    await this.#changed;
  }

  /** Cuts {@link stop} short, even if it starts later. */
  hurry(): void {
    this.#flushMs = MAX_HURRIED_FLUSH_MS;
    this.#flush?.abort();
  }

  #takeOne(span: SpanRecord): void {
    if (this.#pipeline === null ? this.#takeEarly(span) : this.#addTo(this.#pipeline, span)) return;
    this.counts.dropped.queue++;
  }

  #addTo(pipeline: Pipeline, span: SpanRecord): boolean {
    if (!pipeline.add(span)) return false;
    this.#onQueued(span);
    return true;
  }

  #takeEarly(span: SpanRecord): boolean {
    if (this.#early.length >= MAX_EARLY_SPANS) return false;
    this.#early.push(span);
    return true;
  }

  /** Runs a change after the earlier ones. If a change fails, later changes still run. */
  #next(change: () => Promise<void>): void {
    this.#changed = this.#changed.then(change).catch((error: unknown) => this.#failed(0, messageOf(error)));
  }

  async #change(settings: TracingSettings): Promise<void> {
    // No pipeline means that the SDK failed to load. It may be installed by now.
    if (this.#pipeline === null) await this.#open();
    else this.#pipeline.change(settings);
  }

  async #open(): Promise<void> {
    if (this.#settings === null) return;
    this.#pipeline = await this.#load(this.#settings, {
      exported: (spans) => (this.counts.exported += spans),
      failed: (spans, detail) => this.#failed(spans, detail),
    });
    const early = this.#early;
    this.#early = [];
    for (const span of early) this.#takeOne(span);
  }

  async #close(): Promise<void> {
    const pipeline = this.#pipeline;
    this.#pipeline = null;
    let lost = this.#early.length;
    this.#early = [];
    if (pipeline !== null) {
      this.#flush = new AbortController();
      lost += await pipeline.close(this.#flushMs, this.#flush.signal);
      this.#flush = null;
    }
    if (lost > 0) this.#countLost(lost);
  }

  /** Counts the spans that will not be exported. This line comes last, so it is never suppressed. */
  #countLost(spans: number): void {
    this.counts.dropped.export += spans;
    const more = this.#failureLines.take();
    this.#log.warn({ spans, detail: NO_ANSWER, ...more }, FAILED);
  }

  #failed(spans: number, detail: string): void {
    this.counts.dropped.export += spans;
    const more = this.#failureLines.take();
    if (more !== null) this.#log.warn({ spans, detail, ...more }, FAILED);
  }
}

function isSameCollector(a: TracingSettings, b: TracingSettings): boolean {
  return a.url === b.url && isDeepStrictEqual(a.headers, b.headers);
}

/**
 * Loads OpenTelemetry's SDK when tracing starts, because it costs memory and time. Rejects if it is not
 * installed.
 */
export const loadPipeline: LoadPipeline = async (settings, owner) => {
  const { SpanPipeline } = await import('./span-pipeline.ts');
  return new SpanPipeline(settings, version(), owner);
};
