/**
 * The contract between sessions or tunnels and the taps that watch them live. Both sides: `Taps` receives
 * sessions, and sessions have taps.
 */

/** Position of one direction's frames before a read. */
export interface FramePosition {
  /** Number of completed data messages. */
  readonly messages: number;
  /** Remaining payload bytes of the current data frame. 0 between frames. */
  readonly payloadLeft: number;
  /** Earlier bytes of an incomplete frame, from its first byte. Valid during the call only. */
  readonly heldPart: Uint8Array;
}

/**
 * Watches one session. The session calls it before it handles the same bytes itself. A tap never throws,
 * changes nothing, copies what it looks at later, and takes bounded time.
 */
export interface SessionTap {
  /**
   * Called when the client was sent the 101, before all other calls. Not called if the client has left or the
   * session is older than the tap.
   */
  opened(): void;
  /** Called when bytes of frames arrive: `input[start, end)`, split anywhere, valid during the call only. */
  received(fromClient: boolean, position: FramePosition, input: Uint8Array, start: number, end: number): void;
  /**
   * Called when payload bytes of the current data frame crossed unread, through a splice begun before the
   * tap.
   */
  skipped(fromClient: boolean, bytes: number): void;
  /**
   * Called when a whole message or control frame of the client arrives through an engine that hides frames.
   *
   * @param payload unmasked, uncompressed, valid during the call only
   */
  message(fromClient: boolean, opcode: number, payload: Uint8Array): void;
  /**
   * Called when the proxy sent its own control frame, including an answer to a close frame or ping.
   *
   * @param payload unmasked, valid during the call only
   */
  sent(toClient: boolean, opcode: number, payload: Uint8Array): void;
  /** Called last, when the session has ended. */
  ended(end: TappedEnd): void;
}

/** Watches one tunnel, under the rules of {@link SessionTap}. */
export interface TunnelTap {
  /** Called when the tunnel has an endpoint. */
  opened(): void;
  /** Called with the bytes of one read. */
  received(fromClient: boolean, bytes: number): void;
  ended(end: TappedTunnelEnd): void;
}

/** The end of a session. */
export interface TappedEnd {
  readonly side: 'client' | 'endpoint' | 'proxy';
  readonly code: number;
  readonly reason: string | undefined;
  readonly seconds: number;
  readonly messagesUpstream: number;
  readonly messagesDownstream: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** The end of a tunnel. */
export interface TappedTunnelEnd {
  readonly reason: string;
  readonly seconds: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** Facts about a session or tunnel. */
export interface TappedPlace {
  readonly listener: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  /** The client's IP address. */
  readonly client: string;
  /** Time of the opening, in milliseconds since 1970. */
  readonly openedAt: number;
}

export interface TappedSession extends TappedPlace {
  /** The session's number in its worker: see `RelaySession`. */
  readonly number: number;
  readonly route: string;
  /** With its kind: `jwt:alice`. */
  readonly principal: string;
  /** Value of Sec-WebSocket-Extensions agreed by both sides. Empty without any. */
  readonly extensions: string;
  /** Null for a session opened before the tap. */
  readonly handshake: TappedHandshake | null;
}

/**
 * The opening handshake as sent by the client, without headers reserved for the proxy and credentials hidden
 * from endpoints. Each character of its texts is one byte. Valid during the call only.
 */
export interface TappedHandshake {
  /** The target of the request line, with its query. */
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The subprotocol in the response. Empty without one. */
  readonly subprotocol: string;
}

export interface TappedTunnel extends TappedPlace {
  /** Null without one. */
  readonly serverName: string | null;
}

/** All taps of a worker. All generations share this object. */
export interface Taps {
  /** Whether any tap may want a new session or tunnel. Check this before gathering the facts. */
  readonly isOn: boolean;
  /** Returns the watcher of a new session. Null without one. */
  watchSession(session: TappedSession): SessionTap | null;
  /** Returns the watcher of a new tunnel. Null without one. */
  watchTunnel(tunnel: TappedTunnel): TunnelTap | null;
}
