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
  /** Called when a message arrives; see ReplySink. */
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
  /** Called when a choked session can take more. */
  drained(session: Session): void;
}

/** The parts that the sessions of a thread share. */
export interface SessionHost {
  readonly recorder: Recorder;
  readonly random: RandomPool;
  readonly events: SessionEvents;
  readonly dialler: Dialler;
  readonly encrypted: boolean;
  /**
   * The default request of the opening handshake, unless the scenario sets one per session. Null for raw
   * connections.
   */
  readonly request: HandshakeRequest | null;
  /** See Traffic. */
  readonly replyLengths: Uint32Array;
  newScanner(sink: StreamSink): Scanner;
  sessionOpened(session: Session): void;
  /** @param wasOpen whether the session was open before */
  sessionClosed(session: Session, wasOpen: boolean): void;
}

/**
 * `closing` follows this side's close: later input is ignored. `ended` follows a close frame or a fault of
 * the peer.
 */
type State = 'closed' | 'opening' | 'open' | 'closing' | 'ended';

const NONE = Buffer.alloc(0);

/** One of the plan's connections. It is opened, reopened after a loss, and closed. */
export class Session implements ConnectionOwner, StreamSink {
  /** Index among the thread's sessions. */
  readonly index: number;
  state: State = 'closed';
  /** Times when the messages in flight were sent, or were due. */
  readonly sent = new SentRing();
  /** Places in the message pool: of the next message to send, and of the message whose reply is next. */
  nextMessage = 0;
  nextReply = 0;
  /** Whether the connection's buffer is full, so that writes must wait. */
  choked = false;
  /** Whether the session is in the scenario's list of sessions with room. */
  listed = false;
  /** Start of the current deadline: the session opened, closed, or began to wait for the next reply. */
  activeAt = 0;
  /** The request of the next opening handshake. Null for raw connections. */
  request: HandshakeRequest | null;
  /** Whether the peer is expected to close. An expected close is not counted. */
  mayClose = false;
  readonly #host: SessionHost;
  #connection: Connection | null = null;
  #handshake: OpeningHandshake | null = null;
  #scanner: Scanner | null = null;
  /** Start time of the current step of the opening. */
  #stepAt = 0;
  #isConnected = false;
  /** Whether the connection is up, TLS included. */
  #isEstablished = false;
  #closeCode = CLOSE_ABNORMAL;
  /** The failure of the session. Null if it did not fail. */
  #failure: string | null = null;
  #wasOpen = false;

  constructor(index: number, host: SessionHost) {
    this.index = index;
    this.#host = host;
    this.request = host.request;
  }

  /** The code of the peer's close frame, or 1006 without one. */
  get closeCode(): number {
    return this.#closeCode;
  }

  /** Whether the session failed since it was opened. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Starts to open. */
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

  /** Counts messages sent now as in flight, since their due time or since now. */
  begin(count: number, since: number): void {
    if (this.sent.length === 0) this.activeAt = this.#host.recorder.now;
    for (let left = count; left > 0; left--) this.sent.push(since);
  }

  /** Marks the oldest message in flight as answered. Returns its time, or -1 if none is in flight. */
  finish(): number {
    this.activeAt = this.#host.recorder.now;
    return this.sent.shift();
  }

  /** Sends bytes, which the caller must not change afterwards. */
  write(bytes: Uint8Array): void {
    if (this.#connection !== null && !this.#connection.write(bytes)) this.choked = true;
  }

  /**
   * Closes gracefully. The fleet's deadline ends a session that does not close.
   *
   * @param code omitted if it must not be sent
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
    // A peer that floods pings and does not read gets only the pongs that fit.
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
