import { codeOf } from '../../../src/core/errors.ts';
import type { RandomPool } from '../../../src/core/random-pool.ts';
import { CLOSE_ABNORMAL, CLOSE_NORMAL } from '../../../src/wire/frames/close-codes.ts';
import {
  MAX_MASKED_HEAD_BYTES,
  closePayload,
  writeMaskedFrame,
} from '../../../src/wire/frames/frame-writer.ts';
import { OPCODE_CLOSE, OPCODE_PONG } from '../../../src/wire/frames/opcodes.ts';
import type { Connection, ConnectionOwner, Dialler } from '../dialling/connection.ts';
import type { Recorder } from '../measuring/recorder.ts';
import type { Scanner } from '../scanning/scanner.ts';
import type { StreamSink } from '../scanning/stream-scanner.ts';
import { OpeningHandshake, type HandshakeRequest } from './opening-handshake.ts';
import { SentRing } from './sent-ring.ts';

/** Receives the events of open sessions. */
export interface SessionEvents {
  /** Called when a message arrives. See {@link StreamSink.replyMessage} for the parameters. */
  message(
    session: Session,
    length: number,
    bytes: Buffer,
    start: number,
    available: number,
    isText: boolean,
  ): void;
  pong(session: Session, payload: Uint8Array): void;
  /** Called after all messages of one read. */
  readDone(session: Session): void;
  /** Called when a choked session can write again. */
  drained(session: Session): void;
}

/** Shared context of a thread's sessions. */
export interface SessionHost {
  readonly recorder: Recorder;
  readonly random: RandomPool;
  readonly events: SessionEvents;
  readonly dialler: Dialler;
  readonly encrypted: boolean;
  /**
   * Default request of the opening handshake. A scenario may set another per session. Null for raw
   * connections.
   */
  readonly request: HandshakeRequest | null;
  /** See `Traffic.replyLengths`. */
  readonly replyLengths: Uint32Array;
  newScanner(sink: StreamSink): Scanner;
  sessionOpened(session: Session): void;
  /**
   * Called when a session closes or fails to open.
   *
   * @param wasOpen whether the session was open before
   */
  sessionClosed(session: Session, wasOpen: boolean): void;
}

/**
 * `closing`: this side closed first, and later input is ignored. `ended`: after the peer's close frame or a
 * failure.
 */
type State = 'closed' | 'opening' | 'open' | 'closing' | 'ended';

const NONE = Buffer.alloc(0);

/** One connection of the plan. `ThreadSessions` opens it, opens it again after a loss, and closes it. */
export class Session implements ConnectionOwner, StreamSink {
  /** Index among the thread's sessions. */
  readonly index: number;
  state: State = 'closed';
  /** Send times of the messages in flight, or their due times in an open loop. */
  readonly sent = new SentRing();
  /**
   * Indexes in the message pool: of the next message to send, and of the message that the next reply answers.
   */
  nextMessage = 0;
  nextReply = 0;
  /** Whether the connection's buffer is full: writes must wait. */
  choked = false;
  /** Whether the session is in the scenario's list of available sessions. */
  listed = false;
  /** Start of the current deadline: when the session opened, closed, or began to wait for the next reply. */
  activeAt = 0;
  /** Request of the next opening handshake. Null for raw connections. */
  request: HandshakeRequest | null;
  /** Whether the peer is expected to close: its close is not counted. */
  mayClose = false;
  readonly #host: SessionHost;
  #connection: Connection | null = null;
  #handshake: OpeningHandshake | null = null;
  #scanner: Scanner | null = null;
  /** Start of the current step of the opening. */
  #stepAt = 0;
  #isConnected = false;
  /** Whether the connection is up, including TLS. */
  #isEstablished = false;
  #closeCode = CLOSE_ABNORMAL;
  /** Why the session failed. Null if it did not fail. */
  #failure: string | null = null;
  #wasOpen = false;

  constructor(index: number, host: SessionHost) {
    this.index = index;
    this.#host = host;
    this.request = host.request;
  }

  /** Code of the peer's close frame, or 1006 without one. */
  get closeCode(): number {
    return this.#closeCode;
  }

  /** Whether the session has failed since it was last opened. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  open(): void {
    const now = this.#host.recorder.readClock();
    this.state = 'opening';
    this.#stepAt = this.activeAt = now;
    this.#isConnected = this.#isEstablished = this.#wasOpen = false;
    this.#closeCode = CLOSE_ABNORMAL;
    this.#failure = null;
    this.nextMessage = this.nextReply = 0;
    this.choked = this.mayClose = false;
    this.#connection = this.#host.dialler.open(this);
  }

  /**
   * Counts messages as in flight. Called when they are sent.
   *
   * @param since their due time, or now
   */
  begin(count: number, since: number): void {
    if (this.sent.length === 0) this.activeAt = this.#host.recorder.now;
    for (let left = count; left > 0; left--) this.sent.push(since);
  }

  /** Marks the oldest message in flight as answered. Returns its time, or -1 if none is in flight. */
  finish(): number {
    this.activeAt = this.#host.recorder.now;
    return this.sent.shift();
  }

  /** Sends bytes. The caller must not change them afterwards. */
  write(bytes: Uint8Array): void {
    if (this.#connection !== null && !this.#connection.write(bytes)) this.choked = true;
  }

  /**
   * Closes gracefully. The deadline of `ThreadSessions` ends a session that does not close.
   *
   * @param code a code that cannot be sent (such as 1005) makes an empty close frame
   */
  close(code = CLOSE_NORMAL): void {
    if (this.state !== 'open') {
      this.abandon();
      return;
    }
    this.state = 'closing';
    this.activeAt = this.#host.recorder.now;
    if (this.request === null) this.#connection?.end();
    else this.#control(OPCODE_CLOSE, closePayload(code, NONE));
  }

  /** Drops the connection and counts an error. */
  fail(kind: string): void {
    if (this.state === 'closed' || this.#failure !== null) return;
    this.#failure = kind;
    this.state = 'ended';
    this.#connection?.destroy();
  }

  /** Drops the connection without an error. */
  abandon(): void {
    if (this.state === 'closed') return;
    if (this.state !== 'ended') this.state = 'closing';
    this.#connection?.destroy();
  }

  connected(): void {
    this.#isConnected = true;
    this.#step('connect');
    if (!this.#host.encrypted) this.#established();
  }

  secured(isResumed: boolean): void {
    if (isResumed) this.#host.recorder.resumed++;
    this.#step('tls');
    this.#established();
  }

  received(input: Buffer, length: number): void {
    this.#host.recorder.readClock();
    if (this.#handshake !== null) this.#readHandshake(input, length);
    else this.#read(input, length);
  }

  drained(): void {
    this.choked = false;
    if (this.state === 'open') this.#host.events.drained(this);
  }

  closed(error: Error | null): void {
    const { recorder } = this.#host;
    recorder.readClock();
    const was = this.state;
    this.state = 'closed';
    this.#connection = null;
    this.#handshake = null;
    this.#scanner = null;
    if (this.#failure !== null) recorder.error(this.#failure);
    else if (was === 'opening') recorder.error(this.#openingProblem(error));
    else if (was !== 'closing' && !this.mayClose) recorder.close(this.#closeKind(error));
    recorder.lost += was === 'closing' ? 0 : this.sent.length;
    this.sent.clear();
    this.#host.sessionClosed(this, this.#wasOpen);
  }

  replyMessage(length: number, bytes: Buffer, start: number, available: number, isText: boolean): void {
    if (this.state !== 'open') return;
    this.#host.events.message(this, length, bytes, start, available, isText);
  }

  replyPing(payload: Uint8Array): void {
    // A peer that floods pings without reading gets only the pongs that fit.
    if (this.state === 'open' && !this.choked) this.#control(OPCODE_PONG, payload);
  }

  replyPong(payload: Uint8Array): void {
    if (this.state === 'open') this.#host.events.pong(this, payload);
  }

  replyClose(code: number): void {
    if (this.state !== 'open') return;
    this.state = 'ended';
    this.activeAt = this.#host.recorder.now;
    this.#closeCode = code;
    this.#control(OPCODE_CLOSE, closePayload(code, NONE));
    this.#connection?.end();
  }

  replyError(reason: string): void {
    this.fail(`protocol: ${reason}`);
  }

  expectedReply(): number {
    return this.sent.length === 0 ? 0 : this.#host.replyLengths[this.nextReply]!;
  }

  #established(): void {
    this.#isEstablished = true;
    const { request } = this;
    if (request === null) {
      this.#opened();
      return;
    }
    this.#handshake = new OpeningHandshake(request, this.#host.random.take(16));
    this.write(this.#handshake.request());
  }

  #readHandshake(input: Buffer, length: number): void {
    const result = this.#handshake!.read(input, length);
    if (result === null) return;
    if (typeof result === 'string') {
      this.fail(`handshake: ${result}`);
      return;
    }
    this.#handshake = null;
    this.#step('handshake');
    this.#opened();
    if (result.length > 0) this.#read(result, result.length);
  }

  #opened(): void {
    this.state = 'open';
    this.#wasOpen = true;
    this.#scanner = this.#host.newScanner(this);
    this.#host.recorder.opened++;
    this.#host.sessionOpened(this);
  }

  #read(input: Buffer, length: number): void {
    this.#scanner?.scan(input, length);
    if (this.state === 'open') this.#host.events.readDone(this);
  }

  #step(name: 'connect' | 'tls' | 'handshake'): void {
    const { recorder } = this.#host;
    const now = recorder.readClock();
    recorder[name].record(now - this.#stepAt);
    this.#stepAt = now;
  }

  #control(opcode: number, payload: Uint8Array): void {
    const frame = Buffer.allocUnsafe(MAX_MASKED_HEAD_BYTES + payload.length);
    const end = writeMaskedFrame(frame, 0, opcode, payload, this.#host.random.int32());
    this.write(frame.subarray(0, end));
  }

  #openingProblem(error: Error | null): string {
    const code = codeOf(error) || (error?.message ?? 'closed');
    if (!this.#isConnected) return `connect: ${code}`;
    return this.#isEstablished ? `handshake: ${code}` : `tls: ${code}`;
  }

  #closeKind(error: Error | null): string {
    if (this.request !== null) return String(this.#closeCode);
    return error === null ? 'FIN' : codeOf(error) || 'error';
  }
}
