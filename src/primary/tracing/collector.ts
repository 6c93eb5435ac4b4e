import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TracingSettings } from '../../config/types/config.ts';

/** Receives the results of exports. */
export interface ExportOwner {
  exported(spans: number): void;
  /** @param detail the reason, in words of the SDK or the system */
  failed(spans: number, detail: string): void;
}

/** Max time of an export, including retries. */
const EXPORT_TIMEOUT_MS = 4000;
/** Max time of an export until its connections are closed. The SDK limits only silence, not a slow answer. */
const CUT_TIMEOUT_MS = 2 * EXPORT_TIMEOUT_MS;
/** Max concurrent exports. Several run only at the end of the process, to empty the queue quickly. */
const MAX_EXPORTS = 64;
const MAX_DETAIL_CHARACTERS = 200;

/**
 * Sends spans to one collector by OTLP over HTTP. The time of an answer is limited, and redirects are
 * failures.
 */
export class Collector implements SpanExporter {
  readonly #exporter: OTLPTraceExporter;
  readonly #agent: HttpAgent;
  readonly #owner: ExportOwner;

  /** @param product name and version for the User-Agent header */
  constructor(
    { url, headers }: Pick<TracingSettings, 'url' | 'headers'>,
    product: string,
    owner: ExportOwner,
  ) {
    this.#owner = owner;
    const agent = url.startsWith('https:')
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
    this.#agent = agent;
    this.#exporter = new OTLPTraceExporter({
      url,
      headers: { ...headers },
      userAgent: product,
      timeoutMillis: EXPORT_TIMEOUT_MS,
      concurrencyLimit: MAX_EXPORTS,
      httpAgentOptions: () => agent,
    });
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const cut = setTimeout(() => this.#agent.destroy(), CUT_TIMEOUT_MS);
    const end = (result: ExportResult): void => {
      clearTimeout(cut);
      if (result.code === ExportResultCode.SUCCESS) this.#owner.exported(spans.length);
      else this.#owner.failed(spans.length, detailOf(result.error));
      done(result);
    };
    try {
      this.#exporter.export(spans, end);
    } catch (error) {
      end({
        code: ExportResultCode.FAILED,
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }

  /** Resolves when the pending exports have ended. */
  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
    this.cut();
  }

  /** Closes all connections to the collector. */
  cut(): void {
    this.#agent.destroy();
  }
}

/** Describes a failure without the answer's body, which is untrusted. */
function detailOf(error: Error | undefined): string {
  if (error === undefined) return 'no reason given';
  const { code } = error as { readonly code?: unknown };
  const prefix = typeof code === 'string' || typeof code === 'number' ? `${code} ` : '';
  return `${prefix}${error.message}`.trim().slice(0, MAX_DETAIL_CHARACTERS);
}
