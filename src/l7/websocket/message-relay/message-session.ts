import type { Admission } from '../../../access/contract/admission.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_NO_STATUS,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_SERVICE_RESTART,
  CLOSE_TRY_AGAIN_LATER,
} from '../../../wire/frames/close-codes.ts';
import { closePayload } from '../../../wire/frames/frame-writer.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../wire/frames/opcodes.ts';
import type { ShedReason } from '../../buffers/buffer-budget.ts';
import type { DownstreamOwner, DownstreamSocket } from '../../contract/downstream-socket.ts';
import type { SessionLog } from '../../contract/relay.ts';
import type { CloseSide } from '../../contract/session-stats.ts';
import type { UpstreamOwner, UpstreamSocket } from '../../contract/upstream-socket.ts';
import { CountedSession } from '../counted-session.ts';
import { DownstreamFlow, type DownstreamFlowOwner } from './downstream-flow.ts';
import type { MessageContext } from './message-context.ts';
import { UpstreamFlow, type UpstreamFlowOwner } from './upstream-flow.ts';

const PING_FLOOD = 'client pings and does not read';
/** Max bytes of one read from an endpoint. A large message reaches the client in one fragment per read. */
const MAX_READ_BYTES = 256 * 1024;
const NO_REASON = new Uint8Array(0);

/**
 * Joins one client's WebSocket to one endpoint's. Either side may end first. The session counts its end once,
 * and closes the other side. The endpoint's connection then gets a short time to close before it is cut.
 */
export class MessageSession
  extends CountedSession<MessageContext>
  implements DownstreamOwner, UpstreamOwner, UpstreamFlowOwner, DownstreamFlowOwner
{
  readonly #toEndpoint: UpstreamFlow;
  readonly #toClient: DownstreamFlow;

  constructor(
    context: MessageContext,
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    log: SessionLog | null,
    admission: Admission,
  ) {
    super(context, false, endpoint, log, admission);
    this.#toEndpoint = new UpstreamFlow(this, upstream);
    this.#toClient = new DownstreamFlow(this);
    upstream.owner = this;
  }

  override discard(): void {
    this.#upstream.owner = null;
    this.#upstream.destroy();
    this.endpoint.release();
    this.admission.release();
  }

  downstreamOpened(socket: DownstreamSocket): void {
    this.#toClient.open(socket);
    this.countStart();
  }

  downstreamMessage(data: ArrayBuffer, binary: boolean): void {
    if (this.hasEnded) return;
    if (this.tap !== null) this.tap.message(true, binary ? OPCODE_BINARY : OPCODE_TEXT, new Uint8Array(data));
    const { meter } = this.admission;
    // The engine cannot pause one client's WebSocket: `slow` is rejected for it when the configuration is
    // read.
    if (meter !== null && meter.count(1, data.byteLength) === 'close') {
      this.note('limited', meter.excess.reason);
      this.close(meter.excess.code, meter.excess.reason);
      return;
    }
    if (this.#toEndpoint.send(data, binary)) return;
    // The engine cannot pause one client's WebSocket, so an endpoint that takes no bytes loses its session.
    this.context.stats.overflowed('upstream');
    this.#closeBoth(CLOSE_TRY_AGAIN_LATER, 'endpoint too slow', CLOSE_TRY_AGAIN_LATER);
    this.#upstream.destroy();
  }

  downstreamPinged(payload: Uint8Array): void {
    if (this.tap !== null) {
      this.tap.message(true, OPCODE_PING, payload);
      this.tap.sent(true, OPCODE_PONG, payload);
    }
    if (this.#toClient.pongQueued()) return;
    this.context.stats.overflowed('downstream');
    this.#tapClose(false, CLOSE_GOING_AWAY);
    this.#noteEnd('proxy', CLOSE_POLICY_VIOLATION, PING_FLOOD);
    this.#toClient.endAtOnce(CLOSE_POLICY_VIOLATION, PING_FLOOD);
    this.#closeUpstream(CLOSE_GOING_AWAY, NO_REASON);
  }

  downstreamPonged(payload: Uint8Array): void {
    this.tap?.message(true, OPCODE_PONG, payload);
  }

  downstreamDrained(): void {
    if (this.#toClient.drained()) this.endpointActive();
  }

  downstreamUnfinished(bytes: number): void {
    this.context.budget.setUnfinished(this, bytes);
  }

  downstreamClosed(code: number, reason: Uint8Array): void {
    if (!this.#toClient.lost()) return;
    this.tap?.message(true, OPCODE_CLOSE, closePayload(code, reason));
    this.#noteEnd('client', code);
    this.#closeUpstream(code, reason);
  }

  downstreamLost(detail: string, sentBadClose: boolean): void {
    if (!this.#toClient.lost()) return;
    const code = sentBadClose ? CLOSE_NO_STATUS : CLOSE_GOING_AWAY;
    this.#tapClose(false, code);
    this.#noteEnd('client', CLOSE_ABNORMAL, detail);
    this.#closeUpstream(code, NO_REASON);
  }

  upstreamConnected(): void {
    // Only handshakes wait for the connection.
  }

  override endpointBegan(bytes: Buffer): void {
    this.channelData(bytes, 0, bytes.length);
  }

  maxReadBytes(): number {
    return MAX_READ_BYTES;
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.endpointActive();
    if (this.tap !== null) this.tap.received(false, this.#toClient, input, start, end);
    this.#toClient.receive(input, start, end);
  }

  channelDrained(): void {
    this.measureBuffers();
  }

  upstreamBlocked(following: number): void {
    if (!this.hasEnded) this.#measure(following);
  }

  channelEnded(): void {
    this.#loseEndpoint('endpoint lost');
  }

  channelClosed(): void {
    this.#loseEndpoint('endpoint lost');
    this.forget();
    this.endpoint.release();
  }

  endpointPinged(payload: Uint8Array): void {
    if (!this.hasEnded) this.#toEndpoint.pong(payload);
  }

  endpointClosed(code: number, reason: Uint8Array): void {
    if (!this.hasEnded) {
      this.#tapClose(false, code);
      this.#noteEnd('endpoint', code);
      this.#toClient.end(code, reason);
      this.#closeUpstream(code, NO_REASON);
    }
    // Both close frames have been exchanged: the rest is TCP's job.
    this.#upstream.end();
  }

  endpointFailed(reason: string): void {
    if (this.hasEnded) {
      this.#upstream.destroy();
      return;
    }
    const { endpointLostCode } = this.context.settings;
    this.#tapClose(true, endpointLostCode, 'endpoint protocol error');
    this.#tapClose(false, CLOSE_PROTOCOL_ERROR);
    this.#noteEnd('endpoint', CLOSE_PROTOCOL_ERROR, reason);
    this.#toClient.end(endpointLostCode, 'endpoint protocol error');
    this.#closeUpstream(CLOSE_PROTOCOL_ERROR, NO_REASON);
    this.#upstream.end();
  }

  pauseEndpoint(): void {
    this.note('paused');
    this.#upstream.pause();
  }

  resumeEndpoint(): void {
    this.note('resumed');
    this.#upstream.resume();
  }

  override get isEndpointPaused(): boolean {
    return this.#toClient.isEndpointPaused;
  }

  override get isClientPaused(): boolean {
    return false;
  }

  override pingEndpoint(): void {
    this.#toEndpoint.ping();
  }

  override endpointTimedOut(): void {
    this.#loseEndpoint('endpoint timed out');
    this.#upstream.destroy();
  }

  override lifetimePassed(): void {
    this.#closeBoth(CLOSE_SERVICE_RESTART, 'maximum lifetime reached');
  }

  override closeTimeoutPassed(): void {
    this.#upstream.destroy();
  }

  override evict(reason: string): boolean {
    if (this.hasEnded) return false;
    this.note('evicted', reason);
    this.#closeBoth(CLOSE_SERVICE_RESTART, reason);
    return true;
  }

  override close(code: number, reason: string): boolean {
    if (this.hasEnded) return false;
    // The engine could cut a long reason in the middle of a character.
    const sent = closePayload(code, Buffer.from(reason)).subarray(2);
    this.#closeBoth(code, sent, CLOSE_GOING_AWAY, reason);
    return true;
  }

  override drain(): boolean {
    if (!this.hasEnded) this.note('draining');
    this.#closeBoth(CLOSE_SERVICE_RESTART, 'service restart');
    return true;
  }

  override undrain(): void {
    // No drain waits here: the close frame ends an incomplete message.
  }

  override end(): void {
    this.drain();
  }

  override abort(): void {
    if (!this.hasEnded) this.#noteEnd('proxy', CLOSE_ABNORMAL);
    this.#toClient.cut();
    this.#upstream.destroy();
  }

  override measureBuffers(): void {
    // Repeated once a second, so that a slow but living endpoint gets its pong.
    if (!this.hasEnded) this.#toEndpoint.retryPong();
    this.#measure(0);
  }

  override shed(reason: ShedReason): void {
    if (!this.hasEnded) {
      const detail = reason === 'unfinished' ? 'unfinished message' : 'proxy overloaded';
      if (!this.#toClient.waits) this.#tapClose(true, CLOSE_TRY_AGAIN_LATER, detail);
      this.#noteEnd('proxy', CLOSE_TRY_AGAIN_LATER, detail);
      this.#toClient.endAtOnce(CLOSE_TRY_AGAIN_LATER, detail);
    }
    this.#upstream.destroy();
  }

  get #upstream(): UpstreamSocket {
    return this.#toEndpoint.upstream;
  }

  /** Counts the bytes buffered for both sides. @param following bytes that will also wait for the endpoint */
  #measure(following: number): void {
    this.context.budget.setUpstream(this, this.#upstream.writableLength + following);
    // Does nothing if the budget has just closed the session.
    this.#toClient.measure();
  }

  /**
   * Ends the session on behalf of sluice, with a close frame to both sides, unless it has ended.
   *
   * @param reason for the client
   * @param logged reason for the log, unless the code is enough
   */
  #closeBoth(
    code: number,
    reason: Uint8Array | string,
    endpointCode = CLOSE_GOING_AWAY,
    logged?: string,
  ): void {
    if (this.hasEnded) return;
    this.#tapClose(true, code, reason);
    this.#tapClose(false, endpointCode);
    this.#noteEnd('proxy', code, logged);
    this.#toClient.end(code, reason);
    this.#closeUpstream(endpointCode, NO_REASON);
  }

  #loseEndpoint(reason: string): void {
    if (this.hasEnded) return;
    const { endpointLostCode } = this.context.settings;
    this.#tapClose(true, endpointLostCode, reason);
    this.#noteEnd('endpoint', CLOSE_ABNORMAL, reason);
    this.#toClient.end(endpointLostCode, reason);
    this.awaitClose();
  }

  /** Sends the endpoint a close frame after all buffered bytes, and gives it time to answer. */
  #closeUpstream(code: number, reason: Uint8Array): void {
    this.#toClient.resume();
    this.#toEndpoint.close(code, reason);
    this.awaitClose();
  }

  /**
   * Reports one of sluice's own close frames to the tap before it is sent: a tap gets no frames after the
   * session's end.
   */
  #tapClose(toClient: boolean, code: number, reason: Uint8Array | string = NO_REASON): void {
    if (this.tap === null) return;
    const bytes = typeof reason === 'string' ? Buffer.from(reason) : reason;
    this.tap.sent(toClient, OPCODE_CLOSE, closePayload(code, bytes));
  }

  /** Records and counts the session's end. @param reason for the log only */
  #noteEnd(side: CloseSide, code: number, reason?: string): void {
    this.markEnded();
    this.countEnd({ side, code, reason }, this.#toEndpoint, this.#toClient);
  }
}
