import { copyOfText } from '../../core/copy.ts';
import type {
  Asked,
  SessionHappening,
  SessionMoment,
  SessionStart,
  Trace,
} from '../../telemetry/journal/entries.ts';
import { SAMPLED, SPAN, type Journal } from '../../telemetry/journal/journal.ts';
import { sessionOutcome } from '../../telemetry/journal/outcomes.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { askedOf, subprotocolField, type LoggedClient } from '../access-log/request-fields.ts';
import { spanFacts } from '../access-log/span-facts.ts';
import type { SessionEnd, SessionLog } from '../contract/relay.ts';

/** The route that a session came by, and the endpoint that it leads to. */
type SessionPlace = Pick<SessionStart, 'listener' | 'route' | 'cluster' | 'endpoint'>;

const NO_MOMENTS: readonly SessionMoment[] = [];
/** Max moments of a session that its span has. */
const MAX_MOMENTS = 32;
/** Pauses and limits that follow sooner are not noted: one client may cause hundreds a second. */
const MIN_GAP_MS = 1000;

/** Tells the journal of one session's start and end. It keeps about 2.5 KiB of text at most. */
export class SessionEntry implements SessionLog {
  readonly #journal: Journal;
  readonly #start: SessionStart;
  /** What is told of the session if it ends well: drawn once, so that its lines share their fate. */
  readonly #sinks: number;
  readonly #trace: Trace | null;
  /** For the span, if head sampling has chosen it. */
  #moments: SessionMoment[] | null = null;
  /** Whether a pause has been noted that has not ended. */
  #isPaused = false;
  #quietUntil = 0;

  /**
   * @param subprotocol the one that the endpoint chose, or an empty string
   * @param attempts endpoints that were asked
   * @param seconds time that the handshake took
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
      asked: copyOfAsked(askedOf(head, client, journal.needsReferer)),
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

  happened(name: SessionHappening, reason?: string): void {
    if ((this.#sinks & SPAN) === 0) return;
    const moments = (this.#moments ??= []);
    if (moments.length >= MAX_MOMENTS) return;
    const at = Date.now();
    if (name === 'resumed') {
      if (!this.#isPaused) return;
      this.#isPaused = false;
    } else if (name === 'paused' || name === 'limited') {
      if (at < this.#quietUntil) return;
      this.#quietUntil = at + MIN_GAP_MS;
      if (name === 'paused') this.#isPaused = true;
    }
    moments.push({ name, at, reason });
  }

  closed(end: SessionEnd): void {
    const outcome = sessionOutcome(end.side, end.code);
    // A drain ends all sessions in good order: only those that head sampling has chosen have spans.
    const trace = outcome === 'failure' ? this.#trace : null;
    const more = outcome === 'success' ? 0 : this.#journal.sinksOf(outcome, 0, trace);
    // A failure stands for itself.
    const drawn = outcome === 'success' ? this.#sinks : this.#sinks & ~SAMPLED;
    const sinks = drawn | more;
    if (sinks !== 0) this.#journal.sessionClosed(sinks, this.#start, end, this.#moments ?? NO_MOMENTS);
  }
}

/** Copies the texts, which would keep the whole head in memory. */
function copyOfAsked(asked: Asked): Asked {
  return {
    client: copyOfText(asked.client),
    requestId: copyOfText(asked.requestId),
    traceId: copyOfText(asked.traceId),
    principal: copyOfText(asked.principal),
    certSubject: copyOfText(asked.certSubject),
    certFingerprint: copyOfText(asked.certFingerprint),
    vpcEndpointId: copyOfText(asked.vpcEndpointId),
    host: copyOfText(asked.host),
    path: copyOfText(asked.path),
    origin: copyOfText(asked.origin),
    userAgent: copyOfText(asked.userAgent),
    referer: copyOfText(asked.referer),
    isHttp10: asked.isHttp10,
  };
}
