/** What sessions and tunnels tell those who watch them live. Both sides of the seam: `Taps` has sessions, sessions have taps. */

/** Where the frames of one direction stand before a read. */
export interface FramePosition {
  /** Data messages that have ended. */
  readonly messages: number;
  /** Payload bytes of the data frame under way that are still to come; 0 between frames. */
  readonly payloadLeft: number;
  /** The bytes of an incomplete frame that have come before, from its first byte. Valid during the call only. */
  readonly heldPart: Uint8Array;
}

/**
 * Watches one session. The session calls it before it handles what has come. It never throws, changes nothing, keeps no
 * buffer that it is given, and takes bounded time.
 */
export interface SessionTap {
  /** The client has been answered 101. The first call for a new session; missing if the client has gone before. */
  opened(): void;
  /** Bytes of frames have come: `input[start, end)`, cut anywhere, and valid during the call only. */
  received(fromClient: boolean, position: FramePosition, input: Uint8Array, start: number, end: number): void;
  /** Payload bytes of the data frame under way have crossed unseen, by a splice that was begun before the tap. */
  skipped(fromClient: boolean, bytes: number): void;
  /**
   * A whole message or control frame of the client has come by an engine that hides frames.
   *
   * @param payload not masked, not compressed, valid during the call only
   */
  message(fromClient: boolean, opcode: number, payload: Uint8Array): void;
  /**
   * The proxy has sent a control frame of its own, an answer to a side's close frame or ping included.
   *
   * @param payload not masked, valid during the call only
   */
  sent(toClient: boolean, opcode: number, payload: Uint8Array): void;
  /** The session is over. Nothing is told behind it. */
  ended(end: TappedEnd): void;
}

/** Watches one tunnel, under the rules of {@link SessionTap}. */
export interface TunnelTap {
  /** The tunnel has an endpoint. */
  opened(): void;
  /** Bytes have crossed by one read. */
  received(fromClient: boolean, bytes: number): void;
  ended(end: TappedTunnelEnd): void;
}

/** How a session ended. */
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

/** How a tunnel ended. */
export interface TappedTunnelEnd {
  readonly reason: string;
  readonly seconds: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** What is known of a session or a tunnel. */
export interface TappedPlace {
  readonly listener: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  /** The client's IP address. */
  readonly client: string;
  /** When it was opened: milliseconds since 1970. */
  readonly openedAt: number;
}

export interface TappedSession extends TappedPlace {
  /** The session's number in its worker: see `RelaySession`. */
  readonly number: number;
  readonly route: string;
  /** With its kind: `jwt:alice`. */
  readonly principal: string;
  /** The value of Sec-WebSocket-Extensions that both sides have agreed on; empty for none. */
  readonly extensions: string;
  /** Null for a session that was open before the tap. */
  readonly handshake: TappedHandshake | null;
}

/**
 * The opening handshake as the client sent it, without headers that only the proxy may set, and without credentials that
 * endpoints must not see. Each character of its texts is a byte. It is valid during the call only.
 */
export interface TappedHandshake {
  /** The target of the request line, with its query. */
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The subprotocol in the answer; empty for none. */
  readonly subprotocol: string;
}

export interface TappedTunnel extends TappedPlace {
  /** Null for none. */
  readonly serverName: string | null;
}

/** All taps of a worker. The object is the same in all generations. */
export interface Taps {
  /** Whether any tap may want a new session or tunnel. Ask first, and gather the facts only then. */
  readonly isOn: boolean;
  /** Returns what watches a new session; null for nothing. */
  watchSession(session: TappedSession): SessionTap | null;
  /** Returns what watches a new tunnel; null for nothing. */
  watchTunnel(tunnel: TappedTunnel): TunnelTap | null;
}
