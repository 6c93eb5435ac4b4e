/**
 * The lines of a recording, and of `sluice tap --json`: one JSON object per line.
 * docs/reference/recordings.md documents the format. New fields may be added: readers ignore unknown fields
 * and types.
 */

export const RECORDING_VERSION = 1;

export type TapRecord =
  | HeaderRecord
  | SessionRecord
  | TunnelRecord
  | FrameRecord
  | BytesRecord
  | EndRecord
  | LostRecord
  | DoneRecord;

/** The first line of a recording. */
export interface HeaderRecord {
  readonly type: 'tap';
  readonly version: typeof RECORDING_VERSION;
  /** Milliseconds since 1970, with fractions, as in every `at`. */
  readonly at: number;
  /** sluice's version. */
  readonly sluice: string;
  /** The conditions that select sessions. */
  readonly filter: Readonly<Record<string, string>>;
  /** Fraction of these sessions that is shown: above 0, at most 1. */
  readonly sample: number;
  /** Whether payloads are shown. */
  readonly payload: boolean;
  /** Max bytes shown of a message. */
  readonly maxPayload: number;
  /** Rules that redact payloads. */
  readonly redact: readonly string[];
}

interface PlaceFields {
  readonly at: number;
  /** ID of the session or tunnel in all its lines. For a session, the ID in `GET /sessions`. */
  readonly session: string;
  /** True if it was open before the tap started. */
  readonly attached?: true;
  /** Time at which it opened. */
  readonly openedAt: number;
  readonly listener: string;
  readonly cluster: string;
  readonly endpoint: string;
  readonly client: string;
}

/** The first line of a session. */
export interface SessionRecord extends PlaceFields {
  readonly type: 'session';
  readonly route: string;
  readonly principal: string;
  /** Agreed extensions; missing for none. */
  readonly extensions?: string;
  /** Opening handshake, without secrets; missing if the session was open before the tap started. */
  readonly request?: { readonly target: string; readonly headers: readonly (readonly [string, string])[] };
  /** Agreed subprotocol; missing for none. */
  readonly subprotocol?: string;
}

/** The first line of a tunnel. */
export interface TunnelRecord extends PlaceFields {
  readonly type: 'tunnel';
  readonly serverName?: string;
}

type RecordedOpcode = 'continuation' | 'text' | 'binary' | 'close' | 'ping' | 'pong' | `reserved${number}`;

/** One frame, recorded after its last byte. Engines that hide frames record whole messages. */
export interface FrameRecord {
  readonly type: 'frame';
  readonly at: number;
  readonly session: string;
  readonly from: 'client' | 'endpoint' | 'proxy';
  /** Receiver of a frame that sluice itself sent; missing for other frames. */
  readonly to?: 'client' | 'endpoint';
  readonly opcode: RecordedOpcode;
  /** False if the message continues; otherwise missing. */
  readonly fin?: false;
  /** True if the message is compressed on the wire. */
  readonly compressed?: true;
  /** Payload bytes on the wire. */
  readonly length: number;
  /** Code of a close frame; missing if it has none. */
  readonly code?: number;
  /** Uncompressed bytes of the whole message, on its last frame. Missing if unknown or equal to `length`. */
  readonly size?: number;
  /** The message, on its last frame, or the payload of a control frame. Only the start if `cut`. */
  readonly text?: string;
  /** Like `text`, for bytes that are not UTF-8. */
  readonly base64?: string;
  /** True if the payload is longer than the part shown. */
  readonly cut?: true;
  /** True if a rule replaced something. */
  readonly redacted?: true;
  /** Why a requested payload is not shown. */
  readonly withheld?: Withheld;
}

/**
 * - `compressed`: the compression context is unknown or too costly.
 * - `too_long`: redaction needs the whole message, cannot read it, or would take too long.
 * - `joined`: the tap started, or lost frames, in the middle of the message.
 */
export type Withheld = 'compressed' | 'too_long' | 'joined';

/** One read of a tunnel. */
export interface BytesRecord {
  readonly type: 'bytes';
  readonly at: number;
  readonly session: string;
  readonly from: 'client' | 'endpoint';
  readonly length: number;
}

/** The last line of a session or tunnel. */
export interface EndRecord {
  readonly type: 'end';
  readonly at: number;
  readonly session: string;
  /** Missing for a tunnel. */
  readonly side?: 'client' | 'endpoint' | 'proxy';
  /** Missing for a tunnel. */
  readonly code?: number;
  readonly reason?: string;
  readonly seconds: number;
  readonly messagesUpstream?: number;
  readonly messagesDownstream?: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** Reports a gap before this line. */
export interface LostRecord {
  readonly type: 'lost';
  readonly at: number;
  /** Worker that dropped the data; missing if the reader was too slow. */
  readonly worker?: string;
  /** Missing messages, tunnel reads and control frames, as far as known. */
  readonly frames: number;
  /** Sessions and tunnels not shown because too many are shown already. */
  readonly sessions: number;
  /** Lines dropped because the reader was too slow. */
  readonly lines: number;
}

/** The last line, if sluice ended the tap. */
export interface DoneRecord {
  readonly type: 'done';
  readonly at: number;
  readonly reason: string;
}
