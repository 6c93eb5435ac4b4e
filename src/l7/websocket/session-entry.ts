import { copyOfText } from '../../core/copy.ts';
import type {
  RequestFacts,
  SessionEventName,
  SessionEvent,
  SessionStart,
  Trace,
} from '../../telemetry/journal/entries.ts';
import { SAMPLED, SPAN, type Journal } from '../../telemetry/journal/journal.ts';
import { sessionOutcome } from '../../telemetry/journal/outcomes.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { requestFactsOf, subprotocolField, type LoggedClient } from '../access-log/request-fields.ts';
import { spanFacts } from '../access-log/span-facts.ts';
import type { SessionEnd, SessionLog } from '../contract/relay.ts';

/** The route that chose the session's endpoint, and that endpoint. */
type SessionPlace = Pick<SessionStart, 'listener' | 'route' | 'cluster' | 'endpoint'>;

const NO_EVENTS: readonly SessionEvent[] = [];
/** Max events in the span of a session. */
const MAX_EVENTS = 32;
/** Min time between recorded pauses and limits: one client can cause hundreds per second. */
const MIN_GAP_MS = 1000;

/** Reports one session's start and end to the journal. Keeps at most about 2.5 KiB of text. */
export class SessionEntry implements SessionLog {
  readonly #journal: Journal;
  readonly #start: SessionStart;
  /** Sinks for a session that ends well. Sampled once, so that all its lines are either written or not. */
  readonly #sinks: number;
  readonly #trace: Trace | null;
  /** Events for the span, if head sampling chose it. */
  #sessionEvents: SessionEvent[] | null = null;
  /** Whether a recorded pause has not ended yet. */
  #isPaused = false;
  #quietUntil = 0;

  /**
   * @param subprotocol the endpoint's choice, empty for none
   * @param attempts number of endpoints tried
   * @param seconds duration of the handshake
   */
  constructor(
    journal: Journal,
    place: SessionPlace,
    head: RequestHead,
    client: LoggedClient,
    subprotocol: string,
    attempts: number,
    seconds: number,
  ) {
    this.#journal = journal;
    const { listener, route, cluster, endpoint } = place;
    this.#start = {
      listener,
      route,
      cluster,
      endpoint,
      requestFacts: copyOfRequestFacts(requestFactsOf(head, client, journal.needsReferer)),
      subprotocol: subprotocol === '' ? undefined : copyOfText(subprotocolField(subprotocol)),
      handshakeSeconds: seconds,
      span: spanFacts({ head, client }, attempts, seconds),
    };
    this.#trace = client.trace;
    this.#sinks = journal.sinksOf('success', seconds, client.trace);
  }

  opened(): void {
    if (this.#sinks !== 0) this.#journal.sessionOpened(this.#sinks, this.#start);
  }

  happened(name: SessionEventName, reason?: string): void {
    if ((this.#sinks & SPAN) === 0) return;
    const sessionEvents = (this.#sessionEvents ??= []);
    if (sessionEvents.length >= MAX_EVENTS) return;
    const at = Date.now();
    if (name === 'resumed') {
      if (!this.#isPaused) return;
      this.#isPaused = false;
    } else if (name === 'paused' || name === 'limited') {
      if (at < this.#quietUntil) return;
      this.#quietUntil = at + MIN_GAP_MS;
      if (name === 'paused') this.#isPaused = true;
    }
    sessionEvents.push({ name, at, reason });
  }

  closed(end: SessionEnd): void {
    const outcome = sessionOutcome(end.side, end.code);
    // A drain ends all sessions properly: only those that head sampling chose have spans.
    const trace = outcome === 'failure' ? this.#trace : null;
    const more = outcome === 'success' ? 0 : this.#journal.sinksOf(outcome, 0, trace);
    // A failure is not sampled: it represents only itself.
    const drawn = outcome === 'success' ? this.#sinks : this.#sinks & ~SAMPLED;
    const sinks = drawn | more;
    if (sinks !== 0) this.#journal.sessionClosed(sinks, this.#start, end, this.#sessionEvents ?? NO_EVENTS);
  }
}

/** Copies the texts, because slices would keep the whole head in memory. */
function copyOfRequestFacts(requestFacts: RequestFacts): RequestFacts {
  return {
    client: copyOfText(requestFacts.client),
    requestId: copyOfText(requestFacts.requestId),
    traceId: copyOfText(requestFacts.traceId),
    principal: copyOfText(requestFacts.principal),
    certSubject: copyOfText(requestFacts.certSubject),
    certFingerprint: copyOfText(requestFacts.certFingerprint),
    vpcEndpointId: copyOfText(requestFacts.vpcEndpointId),
    host: copyOfText(requestFacts.host),
    path: copyOfText(requestFacts.path),
    origin: copyOfText(requestFacts.origin),
    userAgent: copyOfText(requestFacts.userAgent),
    referer: copyOfText(requestFacts.referer),
    isHttp10: requestFacts.isHttp10,
  };
}
