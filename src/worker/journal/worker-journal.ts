import type { LogSettings } from '../../config/types/config.ts';
import type {
  ConnectionRefusal,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionMoment,
  SessionStart,
  Trace,
  TunnelEnd,
  TunnelStart,
} from '../../telemetry/journal/entries.ts';
import { ACCESS, SPAN, type Journal, type Outcome } from '../../telemetry/journal/journal.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SpanSink } from '../spans/span-sink.ts';

/** The journal of one worker, whatever its generation. */
export class WorkerJournal implements Journal {
  readonly #log: Logger;
  readonly #spans: SpanSink;
  /** The sinks in use. */
  #sinks = 0;

  constructor(log: Logger, settings: LogSettings, spans: SpanSink) {
    this.#log = log;
    this.#spans = spans;
    this.apply(settings);
  }

  /** Takes the settings of a configuration that comes into force. */
  apply({ access, level }: LogSettings): void {
    this.#sinks = access !== null && level !== 'silent' ? ACCESS : 0;
  }

  sinksOf(outcome: Outcome, seconds: number, trace: Pick<Trace, 'isSampled'> | null): number {
    const sinks = outcome === 'success' && seconds < 0 ? 0 : this.#sinks;
    return trace !== null && (trace.isSampled || outcome !== 'success') ? sinks | SPAN : sinks;
  }

  isOn(sink: number): boolean {
    return (this.#sinks & sink) !== 0;
  }

  request(sinks: number, entry: RequestEnd): void {
    if ((sinks & SPAN) !== 0) this.#spans.request(entry);
    if ((sinks & ACCESS) === 0) return;
    const { asked, method, ...end } = { ...entry, span: undefined };
    const { listener, route, cluster, endpoint, ...rest } = end;
    const { origin, userAgent, ...fields } = asked;
    const place = { listener, route, cluster, endpoint };
    this.#log.info({ ...place, ...fields, method, origin, userAgent, ...rest }, 'request');
  }

  handshakeRefused(sinks: number, entry: HandshakeRefusal): void {
    if ((sinks & SPAN) !== 0) this.#spans.handshakeRefused(entry);
    if ((sinks & ACCESS) === 0) return;
    const { asked, subprotocol, ...refusal } = { ...entry, span: undefined };
    const { listener, route, cluster, endpoint, ...rest } = refusal;
    const { origin, userAgent, ...fields } = asked;
    const place = { listener, route, cluster, endpoint };
    this.#log.info({ ...place, ...fields, subprotocol, origin, userAgent, ...rest }, 'handshake refused');
  }

  handshakesRefused(listener: string, count: number): void {
    if (this.isOn(ACCESS)) this.#log.info({ listener, count }, 'handshakes refused');
  }

  sessionOpened(sinks: number, session: SessionStart): void {
    if ((sinks & ACCESS) !== 0) this.#log.info(sessionFields(session), 'session opened');
  }

  sessionClosed(
    sinks: number,
    session: SessionStart,
    end: SessionEnd,
    moments: readonly SessionMoment[],
  ): void {
    if ((sinks & SPAN) !== 0) this.#spans.session(session, end, moments);
    if ((sinks & ACCESS) !== 0) this.#log.info({ ...sessionFields(session), ...end }, 'session closed');
  }

  tunnelOpened(sinks: number, tunnel: TunnelStart): void {
    if ((sinks & ACCESS) !== 0) this.#log.info(tunnel, 'tunnel opened');
  }

  tunnelClosed(sinks: number, tunnel: TunnelStart, end: TunnelEnd): void {
    if ((sinks & ACCESS) !== 0) this.#log.info({ ...tunnel, ...end }, 'tunnel closed');
  }

  connectionRefused(_refusal: ConnectionRefusal): void {
    // No sink wants it yet.
  }
}

function sessionFields({ asked, subprotocol, ...place }: SessionStart): object {
  const { origin, userAgent, ...fields } = asked;
  return {
    ...place,
    ...fields,
    subprotocol,
    origin,
    userAgent,
    handshakeSeconds: undefined,
    span: undefined,
  };
}
