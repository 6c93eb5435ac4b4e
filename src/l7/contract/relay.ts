import type { Admission } from '../../access/contract/admission.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { SessionEnd as SessionResult, SessionHappening } from '../../telemetry/journal/entries.ts';
import type { SessionTap } from '../../telemetry/tap/tap.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { CloseSide, SessionStats } from './session-stats.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

/** Settings of the sessions of one route, and the counters that they share in one worker. */
export interface RelayTerms {
  readonly settings: WebSocketSettings;
  /** Whether the relay's own frames to the endpoint carry random masks, and not zeros. */
  readonly randomMasks: boolean;
  readonly stats: SessionStats;
}

/**
 * Joins clients' WebSockets to endpoints' for one route in one worker. Each engine has its own, and gives the relay's sessions
 * the clients' legs in its own form: whole messages, or bytes.
 */
export interface Relay {
  /** The sessions that live. */
  readonly sessions: LiveSet<RelaySession>;
  /**
   * Makes the session of an endpoint that has answered 101. The session becomes the owner of the endpoint's socket.
   *
   * @param extensions that both sides have agreed on: the value of Sec-WebSocket-Extensions; empty for none
   * @param log null if nothing is told of the session
   * @param admission released when the session ends, or is discarded
   */
  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    extensions: string,
    log: SessionLog | null,
    admission: Admission,
  ): RelaySession;
}

/** A client's WebSocket joined to an endpoint's. It lives from `UpgradeReply.accept` until both legs have ended. */
export interface RelaySession extends LiveMember {
  readonly endpoint: Endpoint;
  readonly admission: Admission;
  /** Tells the session from all others of its worker, ended ones included: 1 or more, and higher for a later session. */
  readonly number: number;
  /** When the endpoint answered 101: milliseconds since 1970, in whole seconds. */
  readonly openedAt: number;
  /** The value of Sec-WebSocket-Extensions that both sides have agreed on; empty for none. */
  readonly extensions: string;
  /** Whether a side has begun to close: then nothing may begin to watch the session. */
  readonly hasEnded: boolean;
  /** Watches the session; null for nothing, and behind the end. It may be set until {@link hasEnded}. */
  tap: SessionTap | null;
  /** Whether the session leads to an endpoint. @param endpoint its label */
  isOf(cluster: string, endpoint: string): boolean;
  /** Takes what the endpoint has sent right behind its 101. @param bytes not empty, valid during the call only */
  endpointBegan(bytes: Buffer): void;
  /** Gives up a session whose client has gone before the 101. Frees the endpoint and its socket. */
  discard(): void;
  /**
   * Ends the session because the worker drains: 1012.
   *
   * @returns false if a frame is under way: then the session ends behind it
   */
  drain(): boolean;
  /** Takes the drain back: a session that waits for the end of a frame lives on. */
  undrain(): void;
  /** Sends the client elsewhere: 1012. Returns false if the session has ended already. */
  evict(reason: string): boolean;
  /**
   * Ends the session for a reason that is not the proxy's own: a credential, a limit, an operator. The client gets the code
   * and the reason, the endpoint 1001. A frame under way has one second to end.
   *
   * @param code that a close frame may have
   * @param reason for the client and the access log. More than 123 bytes of UTF-8 are cut in the close frame.
   * @returns false if the session has ended already
   */
  close(code: number, reason: string): boolean;
  /** Takes notice of a new `admission.endsAt`. If it has passed, the session ends with 1008 within a tenth of a second. */
  reschedule(): void;
  /** Ends the session at the deadline of a drain: 1012. */
  end(): void;
  /** Cuts both legs without close frames. */
  abort(): void;
}

/** Hears of one session's start and end. */
export interface SessionLog {
  opened(): void;
  /** Notes what happens before the end. @param reason in words, if the name does not tell */
  happened(name: SessionHappening, reason?: string): void;
  closed(end: SessionEnd): void;
}

/** How a session ended. */
export interface SessionEnd extends SessionResult {
  readonly side: CloseSide;
}
