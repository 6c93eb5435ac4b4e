/**
 * The lines of a recording, and of what `sluice tap` prints with `--json`: one JSON object a line. docs/reference/recordings.md has the
 * format for readers. New fields may be added; readers ignore fields and types that they do not know.
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

/** The first line. */
export interface HeaderRecord {
  readonly type: 'tap';
  readonly version: typeof RECORDING_VERSION;
  /** Milliseconds since 1970, with fractions, as all `at`. */
  readonly at: number;
  /** The version of sluice. */
  readonly sluice: string;
  /** Which sessions are shown. */
  readonly filter: Readonly<Record<string, string>>;
  /** The part of these sessions that is shown: above 0, at most 1. */
  readonly sample: number;
  /** Whether payloads are shown. */
  readonly payload: boolean;
  /** Max bytes that are shown of a message. */
  readonly maxPayload: number;
  /** The rules by which payloads are redacted. */
  readonly redact: readonly string[];
}

interface PlaceFields {
  readonly at: number;
  /** Names the session or tunnel in all its lines. Of a session the id in `GET /sessions`. */
  readonly session: string;
  /** True if it was open before the tap. */
  readonly attached?: true;
  /** When it was opened. */
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
  /** The agreed extensions; left out for none. */
  readonly extensions?: string;
  /** The opening handshake, without secrets. Left out if the session was open before the tap. */
  readonly request?: { readonly target: string; readonly headers: readonly (readonly [string, string])[] };
  /** The subprotocol of the answer; left out for none. */
  readonly subprotocol?: string;
}

/** The first line of a tunnel. */
export interface TunnelRecord extends PlaceFields {
  readonly type: 'tunnel';
  readonly serverName?: string;
}

type RecordedOpcode = 'continuation' | 'text' | 'binary' | 'close' | 'ping' | 'pong' | `reserved${number}`;

/** One frame, told when its last byte has come. An engine that hides frames tells whole messages. */
export interface FrameRecord {
  readonly type: 'frame';
  readonly at: number;
  readonly session: string;
  readonly from: 'client' | 'endpoint' | 'proxy';
  /** Of a frame of the proxy's own. */
  readonly to?: 'client' | 'endpoint';
  readonly opcode: RecordedOpcode;
  /** False if the message goes on; else left out. */
  readonly fin?: false;
  /** True if the message is compressed on the wire. */
  readonly compressed?: true;
  /** Payload bytes on the wire. */
  readonly length: number;
  /** Of a close frame: its code; left out if it has none. */
  readonly code?: number;
  /** On the last frame of a message: bytes of the whole message, not compressed. Left out if equal to `length`, or unknown. */
  readonly size?: number;
  /** The message, on its last frame, or the payload of a control frame: its beginning, if `cut`. */
  readonly text?: string;
  /** As `text`, of what is not UTF-8. */
  readonly base64?: string;
  /** True if the payload is longer than what is shown. */
  readonly cut?: true;
  /** True if a rule has replaced something. */
  readonly redacted?: true;
  /** Why the payload is not shown, although it was asked for. */
  readonly withheld?: Withheld;
}

/**
 * `compressed`: the context of the compression is unknown or too costly. `too_long`: rules of redaction need the whole message,
 * or cannot read it, or would take too long.
 * `joined`: the tap began, or lost frames, in the middle of the message.
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
  /** Left out for a tunnel. */
  readonly side?: 'client' | 'endpoint' | 'proxy';
  /** Left out for a tunnel. */
  readonly code?: number;
  readonly reason?: string;
  readonly seconds: number;
  readonly messagesUpstream?: number;
  readonly messagesDownstream?: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** What is missing before this line. */
export interface LostRecord {
  readonly type: 'lost';
  readonly at: number;
  /** The worker that left it out; left out if the reader was too slow. */
  readonly worker?: string;
  /** Messages, reads of tunnels, and control frames, as far as they are known. */
  readonly frames: number;
  /** Sessions and tunnels that are not shown because too many are. */
  readonly sessions: number;
  /** Lines of the reader that was too slow. */
  readonly lines: number;
}

/** The last line, if the proxy has ended the tap. */
export interface DoneRecord {
  readonly type: 'done';
  readonly at: number;
  readonly reason: string;
}
