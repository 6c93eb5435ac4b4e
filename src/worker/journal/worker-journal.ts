import type { LogSettings } from '../../config/types/config.ts';
import type { EventFacts, EventKind } from '../../protocol/admin/events.ts';
import type {
  ConnectionRefusal,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionEvent,
  SessionStart,
  Trace,
  TunnelEnd,
  TunnelStart,
} from '../../telemetry/journal/entries.ts';
import { ACCESS, EVENT, SAMPLED, SPAN, type Journal, type Outcome } from '../../telemetry/journal/journal.ts';
import type { LineFormat } from '../../telemetry/journal/lines/line-format.ts';
import { lineFormatOf } from '../../telemetry/journal/lines/line-formats.ts';
import { sessionOutcome, tunnelOutcome } from '../../telemetry/journal/outcomes.ts';
import type { SpanSink } from '../spans/span-sink.ts';
import type { EventBatch } from './event-batch.ts';

/** Destination of complete lines, each with its newline. */
interface LineOutput {
  add(line: string): void;
  /** Posts the waiting lines. */
  flush(): void;
}

interface JournalOptions {
  /** The worker's name. */
  readonly worker: string;
  /** The lines of the log. */
  readonly log: LineOutput;
  /** The lines of the access log's own file. */
  readonly access: LineOutput;
  /** Null to record no events. */
  readonly events: EventBatch | null;
  readonly spans: Pick<SpanSink, 'request' | 'handshakeRefused' | 'session'>;
  /** Returns a number of at least 0 and below 1. */
  readonly random?: () => number;
}

/** The journal of one worker across all generations: writes access lines, and records events and spans. */
export class WorkerJournal implements Journal {
  needsReferer = false;
  readonly #options: JournalOptions;
  readonly #random: () => number;
  /** The enabled sinks. */
  #sinks = 0;
  /** The sinks of a refusal, which is not sampled. */
  #refusalSinks = 0;
  #sample = 1;
  #slowSeconds = Infinity;
  #output: LineOutput;
  #format: LineFormat;

  constructor(terms: JournalOptions, settings: LogSettings) {
    this.#options = terms;
    this.#random = terms.random ?? Math.random;
    this.#output = terms.log;
    this.#format = lineFormatOf('json', { worker: terms.worker, sample: 1, fields: null });
    this.apply(settings);
  }

  /** Applies the settings of a new configuration. */
  apply({ access, level }: LogSettings): void {
    const hasLines = access !== null && (access.file !== null || level === 'info' || level === 'debug');
    this.#refusalSinks = hasLines ? ACCESS : 0;
    this.#sinks = this.#refusalSinks | (this.#options.events === null ? 0 : EVENT);
    if (access === null) return;
    const { sample, fields, format, slowMs, file } = access;
    this.#sample = sample;
    this.#slowSeconds = slowMs === 0 ? Infinity : slowMs / 1000;
    this.#output = file === null ? this.#options.log : this.#options.access;
    this.#format = lineFormatOf(format, { worker: this.#options.worker, sample, fields });
    this.needsReferer = format === 'combined' || fields?.includes('referer') === true;
  }

  /** Posts the waiting lines and events. A worker calls it before its task ends. */
  flush(): void {
    this.#options.access.flush();
    this.#options.events?.flush();
  }

  sinksOf(outcome: Outcome, seconds: number, trace: Pick<Trace, 'isSampled'> | null): number {
    const sinks = this.#untracedSinks(outcome, seconds);
    return trace !== null && (trace.isSampled || outcome !== 'success') ? sinks | SPAN : sinks;
  }

  isOn(sink: number): boolean {
    return (this.#sinks & sink) !== 0;
  }

  request(sinks: number, end: RequestEnd): void {
    if ((sinks & SPAN) !== 0) this.#options.spans.request(end);
    if ((sinks & ACCESS) !== 0) this.#write(this.#format.request(end, (sinks & SAMPLED) !== 0));
    if ((sinks & EVENT) === 0) return;
    const { status, cut, reason = cut ?? 'server_error' } = end;
    const cutDetail = cut === undefined ? undefined : 'the response was cut';
    const detail = detailOf(end.detail ?? cutDetail, end.cause);
    this.#event('request', reason, end, end.requestFacts, { status, detail });
  }

  handshakeRefused(sinks: number, refusal: HandshakeRefusal): void {
    if ((sinks & SPAN) !== 0) this.#options.spans.handshakeRefused(refusal);
    if ((sinks & ACCESS) !== 0) this.#write(this.#format.handshakeRefused(refusal));
    if ((sinks & EVENT) === 0) return;
    const { status, reason, detail, cause, requestFacts } = refusal;
    this.#event('handshake', reason, refusal, requestFacts, { status, detail: detailOf(detail, cause) });
  }

  handshakesRefused(listener: string, count: number): void {
    this.#write(this.#format.handshakesRefused(listener, count));
  }

  sessionOpened(sinks: number, session: SessionStart): void {
    if ((sinks & ACCESS) !== 0) this.#write(this.#format.sessionOpened(session, (sinks & SAMPLED) !== 0));
  }

  sessionClosed(
    sinks: number,
    session: SessionStart,
    end: SessionEnd,
    sessionEvents: readonly SessionEvent[],
  ): void {
    const { side, code } = end;
    if ((sinks & SPAN) !== 0) this.#options.spans.session(session, end, sessionEvents);
    if ((sinks & ACCESS) !== 0)
      this.#write(this.#format.sessionClosed(session, end, (sinks & SAMPLED) !== 0));
    if ((sinks & EVENT) === 0 || sessionOutcome(side, code) !== 'failure') return;
    this.#event('session', String(code), session, session.requestFacts, { side, code, detail: end.reason });
  }

  tunnelOpened(sinks: number, tunnel: TunnelStart): void {
    if ((sinks & ACCESS) !== 0) this.#write(this.#format.tunnelOpened(tunnel, (sinks & SAMPLED) !== 0));
  }

  tunnelClosed(sinks: number, tunnel: TunnelStart, end: TunnelEnd): void {
    if ((sinks & ACCESS) !== 0) this.#write(this.#format.tunnelClosed(tunnel, end, (sinks & SAMPLED) !== 0));
    if ((sinks & EVENT) === 0 || tunnelOutcome(end.reason) !== 'failure') return;
    this.#event('tunnel', end.reason, tunnel, { client: tunnel.client, host: tunnel.serverName }, {});
  }

  connectionRefused({ kind, reason, client, detail, ...place }: ConnectionRefusal): void {
    this.#event(kind, reason, place, { client }, { detail });
  }

  #untracedSinks(outcome: Outcome, seconds: number): number {
    if (outcome === 'failure') return this.#sinks;
    const sinks = this.#refusalSinks;
    if (sinks === 0 || outcome === 'refusal' || this.#sample === 1 || seconds >= this.#slowSeconds)
      return sinks;
    return this.#random() < this.#sample ? sinks | SAMPLED : 0;
  }

  #write(line: string): void {
    // A session keeps its sinks, even if a reload has disabled the access log.
    if (line !== '' && this.isOn(ACCESS)) this.#output.add(line);
  }

  #event(
    kind: EventKind,
    reason: string,
    place: Pick<EventFacts, 'listener' | 'route' | 'cluster' | 'endpoint'>,
    requestFacts: Pick<EventFacts, 'client' | 'principal' | 'host' | 'path' | 'requestId' | 'traceId'>,
    how: Pick<EventFacts, 'status' | 'code' | 'side' | 'detail'>,
  ): void {
    const { events } = this.#options;
    if (events?.take(kind, reason) !== true) return;
    const { listener, route, cluster, endpoint } = place;
    const { client, principal, host, path, requestId, traceId } = requestFacts;
    const where = { listener, route, cluster, endpoint };
    const who = { client, principal, host, path, requestId: requestId === '' ? undefined : requestId };
    events.add({ at: Date.now(), kind, reason, ...how, ...where, ...who, traceId });
  }
}

/** Appends the cause of a refusal, such as a limit's name, to its message. */
function detailOf(detail: string | undefined, cause: string | undefined): string | undefined {
  if (cause === undefined) return detail;
  return detail === undefined ? cause : `${detail} (${cause})`;
}
