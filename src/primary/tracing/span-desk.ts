import { isDeepStrictEqual } from 'node:util';
import type { TracingSettings } from '../../config/types/config.ts';
import { messageOf } from '../../core/errors.ts';
import { version } from '../../core/version.ts';
import type { SpanRecord } from '../../protocol/spans.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { TRACE_DROPS } from '../../telemetry/metrics/label-values.ts';

/** The way of spans to a collector: see `span-pipeline.ts`. */
interface Pipeline {
  add(record: SpanRecord): boolean;
  change(settings: TracingSettings): void;
  close(ms: number, hurry: AbortSignal): Promise<number>;
}

/** Makes a pipeline, and loads the SDK for it. */
export type LoadPipeline = (
  settings: TracingSettings,
  owner: { exported(spans: number): void; failed(spans: number, detail: string): void },
) => Promise<Pipeline>;

interface SpanDeskParts {
  readonly log: Logger;
  readonly load: LoadPipeline;
  /** Called with each span that is queued for an export. */
  readonly onQueued: (span: SpanRecord) => void;
}

/** Max spans that wait until the SDK is loaded. */
const MAX_EARLY = 1024;
/** Max time that the end of the process, or of tracing, waits for exports. */
const FLUSH_MS = 2000;
/** The same if somebody wants the process to end at once: a collector nearby has answered by then. */
const HURRIED_FLUSH_MS = 200;
const FAILED = 'export of spans failed';
const GAVE_UP = 'the collector had not answered by the end';
/** One line about failed exports a minute. */
const FAILURE_LINES = { burst: 1, everyMs: 60_000 };

/** Takes the workers' spans, and sees to it that they are exported. A reload begins, changes and ends that. */
export class SpanDesk {
  readonly counts = { exported: 0, dropped: { worker: 0, queue: 0, export: 0 } } satisfies {
    exported: number;
    dropped: Record<(typeof TRACE_DROPS)[number], number>;
  };
  readonly #log: Logger;
  readonly #load: LoadPipeline;
  readonly #onQueued: (span: SpanRecord) => void;
  readonly #failureLines = new LineLimit(undefined, FAILURE_LINES);
  #settings: TracingSettings | null = null;
  /** Null without tracing, and before the SDK is loaded. */
  #pipeline: Pipeline | null = null;
  #early: SpanRecord[] = [];
  #flushMs = FLUSH_MS;
  /** Cuts the wait for the last exports; null if there is none. */
  #flush: AbortController | null = null;
  /** Ends with the last change. */
  #changed: Promise<void> = Promise.resolve();

  constructor({ log, load, onQueued }: SpanDeskParts) {
    this.#log = log;
    this.#load = load;
    this.#onQueued = onQueued;
  }

  /** Takes the spans of a worker. @param dropped the number of spans that the worker has dropped itself */
  take(spans: readonly SpanRecord[], dropped: number): void {
    this.counts.dropped.worker += dropped;
    if (this.#settings === null) return;
    for (const span of spans) this.#takeOne(span);
  }

  /** Brings settings into force: null ends tracing. What waits goes to the new collector. */
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

  /** Exports what waits, for a bounded time, and ends. */
  async stop(): Promise<void> {
    this.apply(null);
    await this.#changed;
  }

  /** Ends the wait of {@link stop}; one that begins later is short. */
  hurry(): void {
    this.#flushMs = HURRIED_FLUSH_MS;
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
    if (this.#early.length >= MAX_EARLY) return false;
    this.#early.push(span);
    return true;
  }

  /** Makes a change after those before. A change that fails is lost, not those that follow. */
  #next(change: () => Promise<void>): void {
    this.#changed = this.#changed.then(change).catch((error: unknown) => this.#failed(0, messageOf(error)));
  }

  async #change(settings: TracingSettings): Promise<void> {
    // Without the SDK there is no pipeline: it may have been installed meanwhile.
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
    if (lost > 0) this.#gaveUp(lost);
  }

  /** Notes what no export will tell of any more. The line is the last one, so no other suppresses it. */
  #gaveUp(spans: number): void {
    this.counts.dropped.export += spans;
    const more = this.#failureLines.take();
    this.#log.warn({ spans, detail: GAVE_UP, ...more }, FAILED);
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

/** Loads OpenTelemetry's SDK, which costs memory and time, when tracing begins. Rejects if it is not installed. */
export const loadPipeline: LoadPipeline = async (settings, owner) => {
  const { SpanPipeline } = await import('./span-pipeline.ts');
  return new SpanPipeline(settings, version(), owner);
};
