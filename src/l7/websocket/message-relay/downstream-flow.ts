import { CLOSE_NO_STATUS } from '../../../wire/frames/close-codes.ts';
import { FrameReader } from '../../../wire/frames/frame-reader.ts';
import type { Buffering } from '../../buffers/buffer-budget.ts';
import type { DownstreamSocket } from '../../contract/downstream-socket.ts';
import { dropHeldClose, holdClose, readCorked } from './corked-read.ts';
import type { MessageContext } from './message-context.ts';
import { isPingFlood } from './pong-bounds.ts';

/**
 * Min size of frames that are written to the client directly. Smaller frames are combined. For larger ones
 * the copy costs more than it saves.
 */
const MIN_UNCORKED_BYTES = 8 * 1024;

/** Receives the endpoint's control frames, and holds the budget of bytes that wait for the client. */
export interface DownstreamFlowOwner extends Buffering {
  readonly context: MessageContext;
  /** Stops reading from the endpoint until {@link resumeEndpoint}. */
  pauseEndpoint(): void;
  resumeEndpoint(): void;
  /** @param payload valid during the call only */
  endpointPinged(payload: Uint8Array): void;
  /** Called when a close frame arrives. @param code 1005 for none */
  endpointClosed(code: number, reason: Uint8Array): void;
  /** Called when the endpoint has violated the protocol. */
  endpointFailed(reason: string): void;
}

/** Forwards the endpoint's messages to the client, and pauses the endpoint while its client is slow. */
export class DownstreamFlow extends FrameReader {
  /** Number of messages that the endpoint has sent. */
  messages = 0;
  /** Payload bytes of these messages. */
  bytes = 0;
  readonly #owner: DownstreamFlowOwner;
  /** Null before the client's 101, and after its WebSocket has ended. */
  #socket: DownstreamSocket | null = null;
  /**
   * Bytes buffered for the client after the last message before its endpoint was paused. -1 if the endpoint
   * is not paused.
   */
  #waitingWhenPaused = -1;
  /** Whether the client was too slow for output of the current read. */
  #isBehind = false;

  constructor(owner: DownstreamFlowOwner) {
    super();
    this.#owner = owner;
  }

  /** Whether bytes are buffered for the client. */
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
      // Reading continues for the close frame that answers ours.
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
   * Counts the pong that the engine has queued after all buffered bytes.
   *
   * @returns false if the client keeps pinging without reading
   */
  pongQueued(): boolean {
    const waiting = this.#socket?.getBufferedAmount() ?? 0;
    if (waiting === 0) return true;
    if (this.isEndpointPaused && isPingFlood(waiting, this.#waitingWhenPaused)) return false;
    this.#noteWaiting(waiting);
    return true;
  }

  /** Called when the kernel takes some buffered bytes. Returns whether the endpoint was resumed. */
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

  /** Reports the buffered bytes to the budget. May close the session before it returns. */
  measure(): void {
    if (this.#socket !== null)
      this.#owner.context.budget.setDownstream(this.#owner, this.#socket.getBufferedAmount());
  }

  /** Sends the client a close frame after the buffered bytes. @param code 1005 for a frame without one */
  end(code: number, reason: Uint8Array | string): void {
    const socket = this.#socket;
    this.#socket = null;
    const sent = code === CLOSE_NO_STATUS ? 0 : code;
    if (socket !== null && !holdClose(this, sent, reason)) socket.end(sent, reason);
    this.#owner.context.engine.clientsTouched();
  }

  /**
   * Ends the client's WebSocket at once if bytes are buffered, because a close frame would wait. Otherwise
   * like {@link end}.
   */
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

  /** Forgets the client's socket, which has ended. Returns false if sluice itself ended it. */
  lost(): boolean {
    if (this.#socket === null) {
      dropHeldClose(this);
      return false;
    }
    this.#socket = null;
    // The buffered bytes were lost with the socket. The endpoint may take some seconds to close.
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
    // Never compressed: a compressed message is one deflate stream, but the engine would start one per
    // fragment.
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
    // Messages that the endpoint sent before its pause may still arrive.
    if (this.isEndpointPaused) this.#waitingWhenPaused = waiting;
    this.#noteWaiting(waiting);
  }

  /** Counts the bytes buffered for the client, and pauses the endpoint if they are too many. */
  #noteWaiting(waiting: number): void {
    if (waiting > this.#owner.context.settings.downstreamBuffer && !this.isEndpointPaused) {
      this.#waitingWhenPaused = waiting;
      this.#owner.context.stats.paused();
      this.#owner.pauseEndpoint();
    }
    this.#owner.context.budget.setDownstream(this.#owner, waiting);
  }
}
