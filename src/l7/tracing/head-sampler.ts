import type { TracingSettings } from '../../config/types/config.ts';
import type { RandomPool } from '../../core/random-pool.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { RequestTrace } from '../../wire/tracing/request-trace.ts';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

/** Starts or continues the trace of each request, and decides once whether the trace is sampled. */
export class HeadSampler {
  readonly #random: Pick<RandomPool, 'take'>;
  readonly #sample: number;
  /** Sampled fractions by route name. Null if no route has its own. */
  readonly #routes: ReadonlyMap<string, number> | null;

  constructor(
    { sample, routes }: Pick<TracingSettings, 'sample' | 'routes'>,
    random: Pick<RandomPool, 'take'>,
  ) {
    this.#random = random;
    this.#sample = sample;
    const parts = Object.entries(routes);
    this.#routes = parts.length === 0 ? null : new Map(parts);
  }

  /**
   * Returns the trace of a request.
   *
   * @param peer IP address of the connection's peer
   * @param isTrusted whether the peer's headers are trusted
   */
  begin(head: RequestHead, peer: string, isTrusted: boolean): RequestTrace {
    const parent = isTrusted ? this.#continued(head, peer) : null;
    // Random digits that are all 0 are too unlikely to matter.
    return parent ?? RequestTrace.started(this.#random.take(TRACE_BYTES + SPAN_BYTES), peer, this.#sample);
  }

  /** Decides again by the route's fraction, unless the client has decided. */
  routed(trace: RequestTrace, route: string): void {
    if (this.#routes === null || trace.isContinued) return;
    const part = this.#routes.get(route);
    if (part !== undefined) trace.sample(part);
  }

  #continued(head: RequestHead, peer: string): RequestTrace | null {
    return RequestTrace.continued(head, peer, this.#random.take(SPAN_BYTES).toString('hex'));
  }
}
