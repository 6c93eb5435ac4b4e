import type { Admission } from '../../access/contract/admission.ts';
import type { WebSocketSettings } from '../../config/types/listener.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { SessionEnd as SessionResult, SessionEventName } from '../../telemetry/journal/entries.ts';
import type { SessionTap } from '../../telemetry/tap/tap.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { CloseSide, SessionStats } from './session-stats.ts';
import type { UpstreamSocket } from './upstream-socket.ts';

/** Session settings of one route, and the counters that its sessions share in one worker. */
export interface RelayTerms {
  readonly settings: WebSocketSettings;
  /** Whether the relay's own frames to the endpoint have random masks instead of zeros. */
  readonly randomMasks: boolean;
  readonly stats: SessionStats;
}

/**
 * Joins client WebSockets to endpoint WebSockets, for one route in one worker. Each engine has its own relay,
 * which takes the client's side as whole messages or as bytes.
 */
export interface Relay {
  /** The open sessions. */
  readonly sessions: LiveSet<RelaySession>;
  /**
   * Creates the session of an endpoint that answered 101. The session becomes the owner of the endpoint's
   * socket.
   *
   * @param extensions agreed on by both sides: the value of Sec-WebSocket-Extensions, empty for none
   * @param log null if the session is not logged
   * @param admission released when the session ends or is discarded
   */
  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    extensions: string,
    log: SessionLog | null,
    admission: Admission,
  ): RelaySession;
}

/**
 * A client's WebSocket joined to an endpoint's. It lives from `UpgradeReply.accept` until both sides have
 * ended.
 */
export interface RelaySession extends LiveMember {
  readonly endpoint: Endpoint;
  readonly admission: Admission;
  /**
   * Identifies the session among all sessions of its worker, past ones included. Starts at 1 and increases.
   */
  readonly number: number;
  /** When the endpoint answered 101: milliseconds since 1970, rounded to seconds. */
  readonly openedAt: number;
  /** Extensions that both sides agreed on: the value of Sec-WebSocket-Extensions, empty for none. */
  readonly extensions: string;
  /** Whether a side has begun to close. No tap may be attached after that. */
  readonly hasEnded: boolean;
  /** Watches the session. Null without a tap, and after the end. May be set until {@link hasEnded}. */
  tap: SessionTap | null;
  /** Whether the session uses this endpoint. @param endpoint its label */
  isOf(cluster: string, endpoint: string): boolean;
  /**
   * Takes the bytes that the endpoint sent right after its 101.
   *
   * @param bytes not empty, valid only during the call
   */
  endpointBegan(bytes: Buffer): void;
  /** Discards a session whose client disconnected before the 101. Releases the endpoint and its socket. */
  discard(): void;
  /**
   * Ends the session with 1012 because the worker drains.
   *
   * @returns false if a frame is incomplete: the session ends after that frame
   */
  drain(): boolean;
  /** Cancels the drain: a session that waits for the end of a frame continues. */
  undrain(): void;
  /**
   * Ends the session with 1012, so that the client reconnects elsewhere. Returns false if the session has
   * already ended.
   */
  evict(reason: string): boolean;
  /**
   * Ends the session because of a credential, a limit or an operator. The client gets the code and the
   * reason, the endpoint gets 1001. An incomplete frame has one second to end.
   *
   * @param code must be valid in a close frame
   * @param reason for the client and the access log. The close frame holds at most 123 bytes of UTF-8 of it.
   * @returns false if the session has already ended
   */
  close(code: number, reason: string): boolean;
  /**
   * Applies a changed `admission.endsAt`. If it has passed, the session ends with 1008 within a tenth of a
   * second.
   */
  reschedule(): void;
  /** Ends the session with 1012 at the deadline of a drain. */
  end(): void;
  /** Cuts both sides without close frames. */
  abort(): void;
}

/** Logs the start and end of one session. */
export interface SessionLog {
  opened(): void;
  /** Records an event before the end. @param reason details besides the name */
  happened(name: SessionEventName, reason?: string): void;
  closed(end: SessionEnd): void;
}

/** How a session ended. */
export interface SessionEnd extends SessionResult {
  readonly side: CloseSide;
}
