import { CLOSE_NO_STATUS } from '../../../wire/frames/close-codes.ts';
import { FrameReader } from '../../../wire/frames/frame-reader.ts';
import type { Buffering } from '../../buffers/buffer-budget.ts';
import type { DownstreamSocket } from '../../contract/downstream-socket.ts';
import { dropHeldClose, holdClose, readCorked } from './corked-read.ts';
import type { MessageContext } from './message-context.ts';
import { isPingFlood } from './pong-bounds.ts';

/** Frames of fewer bytes are gathered into one write to the client. For larger ones the copy costs more than it saves. */
const MIN_UNCORKED_BYTES = 8 * 1024;

/** Hears of the endpoint's control frames, and stands in the budget for the bytes that wait for the client. */
export interface DownstreamFlowOwner extends Buffering {
  readonly context: MessageContext;
  /** Receives nothing more from the endpoint until {@link resumeEndpoint}. */
  pauseEndpoint(): void;
  resumeEndpoint(): void;
  /** @param payload valid during the call only */
  endpointPinged(payload: Uint8Array): void;
  /** A close frame has come. @param code 1005 for none */
  endpointClosed(code: number, reason: Uint8Array): void;
  /** The endpoint has broken the protocol. */
  endpointFailed(reason: string): void;
}

/** Hands the endpoint's messages to the client, and pauses the endpoint while its client is slow. */
export class DownstreamFlow extends FrameReader {
  /** Messages that the endpoint has sent. */
  messages = 0;
  /** Bytes of their payloads. */
  bytes = 0;
  readonly #owner: DownstreamFlowOwner;
  /** Null before the client has been answered 101, and after its WebSocket has ended. */
  #socket: DownstreamSocket | null = null;
  /** Bytes that waited for the client when it got the last message before its endpoint was paused; -1 if it is not paused. */
  #waitingWhenPaused = -1;
  /** Whether the client was too slow for something that was sent during the current read. */
  #isBehind = false;

  constructor(owner: DownstreamFlowOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether bytes wait for the client. */
  get waits(): boolean {
    return this.#socket !== null && this.#socket.getBufferedAmount() > 0;
  }

  get isEndpointPaused(): boolean {
    return this.#waitingWhenPaused >= 0;
  }

  open(socket: DownstreamSocket): void {
    this.#socket = socket;
  }

  /** Reads frames from `input[start, end)`, which is valid during the call only. */
  receive(input: Buffer, start: number, end: number): void {
    const socket = this.#socket;
    if (socket === null) {
      // Still read, for the close frame that answers ours.
      this.read(input, start, end);
      return;
    }
    if (this.expectsSmallFrames(input, start, end, MIN_UNCORKED_BYTES)) {
      readCorked(socket, this, input, start, end);
      this.#isBehind = true;
    } else {
      this.read(input, start, end);
    }
    if (this.#isBehind) this.#checkWaiting();
  }

  /**
   * Counts the pong that the engine has queued behind all bytes that wait.
   *
   * @returns false if the client pings on and does not read
   */
  pongQueued(): boolean {
    const waiting = this.#socket?.getBufferedAmount() ?? 0;
    if (waiting === 0) return true;
    if (this.isEndpointPaused && isPingFlood(waiting, this.#waitingWhenPaused)) return false;
    this.#noteWaiting(waiting);
    return true;
  }

  /** The kernel has taken some of the bytes that waited. Returns whether the endpoint has been resumed. */
  drained(): boolean {
    if (this.#socket === null) return false;
    const waiting = this.#socket.getBufferedAmount();
    this.#owner.context.budget.setDownstream(this.#owner, waiting);
    if (!this.isEndpointPaused || waiting > this.#owner.context.settings.downstreamBuffer / 2) return false;
    this.resume();
    return true;
  }

  /** Resumes a paused endpoint. */
  resume(): void {
    if (!this.isEndpointPaused) return;
    this.#waitingWhenPaused = -1;
    this.#owner.resumeEndpoint();
  }

  /** Counts the bytes that wait. The session may be closed before this returns. */
  measure(): void {
    if (this.#socket !== null)
      this.#owner.context.budget.setDownstream(this.#owner, this.#socket.getBufferedAmount());
  }

  /** Sends the client a close frame behind the bytes that wait. @param code 1005 for a frame without one */
  end(code: number, reason: Uint8Array | string): void {
    const socket = this.#socket;
    this.#socket = null;
    const sent = code === CLOSE_NO_STATUS ? 0 : code;
    if (socket !== null && !holdClose(this, sent, reason)) socket.end(sent, reason);
    this.#owner.context.engine.clientsTouched();
  }

  /** Ends the client's WebSocket now if bytes wait, since a close frame would wait behind them; else as {@link end}. */
  endAtOnce(code: number, reason: string): void {
    if (this.waits) {
      this.cut();
      this.#owner.context.budget.setDownstream(this.#owner, 0);
    }
    this.end(code, reason);
  }

  /** Cuts the client's connection. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Forgets the client's socket, which has ended. Returns false if the socket has been ended from this side. */
  lost(): boolean {
    if (this.#socket === null) {
      dropHeldClose(this);
      return false;
    }
    this.#socket = null;
    // The bytes that waited went with the socket, while the endpoint may take some seconds to close.
    this.#owner.context.budget.setDownstream(this.#owner, 0);
    return true;
  }

  override frameMessage(payload: Uint8Array, binary: boolean): void {
    const socket = this.#socket;
    if (socket === null) return;
    const { stats, settings } = this.#owner.context;
    this.messages++;
    this.bytes += payload.length;
    stats.values[stats.messagesDownstream]! += 1;
    stats.values[stats.bytesDownstream]! += payload.length;
    if (socket.send(payload, binary, settings.compression === 'shared') !== 1) this.#isBehind = true;
  }

  override frameFragment(payload: Uint8Array, binary: boolean, first: boolean, last: boolean): void {
    const socket = this.#socket;
    if (socket === null) return;
    const { stats } = this.#owner.context;
    this.bytes += payload.length;
    stats.values[stats.bytesDownstream]! += payload.length;
    if (last) {
      this.messages++;
      stats.values[stats.messagesDownstream]! += 1;
    }
    // Never compressed: a compressed message is one deflate stream, and the engine would make one of each fragment.
    const status = first
      ? socket.sendFirstFragment(payload, binary, false)
      : last
        ? socket.sendLastFragment(payload, false)
        : socket.sendFragment(payload, false);
    if (status !== 1) this.#isBehind = true;
  }

  override framePing(payload: Uint8Array): void {
    this.#owner.endpointPinged(payload);
  }

  override framePong(): void {
    // Any bytes of the endpoint prove that it is alive.
  }

  override frameClose(code: number, reason: Uint8Array): void {
    this.#owner.endpointClosed(code, reason);
  }

  override frameError(reason: string): void {
    this.#owner.endpointFailed(reason);
  }

  #checkWaiting(): void {
    this.#isBehind = false;
    if (this.#socket === null) return;
    const waiting = this.#socket.getBufferedAmount();
    if (waiting > 0) this.#owner.context.engine.clientsTouched();
    // Messages that the endpoint sent before it was paused may still come.
    if (this.isEndpointPaused) this.#waitingWhenPaused = waiting;
    this.#noteWaiting(waiting);
  }

  /** Counts the bytes that wait for the client, and pauses the endpoint if they are too many. */
  #noteWaiting(waiting: number): void {
    if (waiting > this.#owner.context.settings.downstreamBuffer && !this.isEndpointPaused) {
      this.#waitingWhenPaused = waiting;
      this.#owner.context.stats.paused();
      this.#owner.pauseEndpoint();
    }
    this.#owner.context.budget.setDownstream(this.#owner, waiting);
  }
}
