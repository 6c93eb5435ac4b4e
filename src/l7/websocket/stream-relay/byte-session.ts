import type { Admission } from '../../../access/contract/admission.ts';
import type { Channel } from '../../../transport/channel.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_NO_STATUS,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_SERVICE_RESTART,
  CLOSE_TRY_AGAIN_LATER,
} from '../../../wire/frames/close-codes.ts';
import type { SessionLog } from '../../contract/relay.ts';
import type { StreamSession } from '../../contract/stream-session.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import { CountedSession, type Ending } from '../counted-session.ts';
import type { LegOwner } from './leg-owner.ts';
import { closeFrame, isPingPayload, pingFrame } from './own-frames.ts';
import type { SessionRules, StreamContext } from './stream-context.ts';
import { StreamLeg } from './stream-leg.ts';

/** Max wait for the end of a frame before sluice's own close frame. Does not apply to drains. */
const FRAME_WAIT_MS = 1000;
/** Max extensions of the close timeout while the client has not taken all bytes: one minute in total. */
const MAX_FLUSH_WAITS = 12;

/**
 * Joins one client's WebSocket to one endpoint's as byte streams. Close frames pass from end to end. When one
 * side begins to close, both get a short time before they are cut. The session's end is counted when no more
 * bytes can pass.
 */
export class ByteSession extends CountedSession<StreamContext> implements StreamSession, LegOwner<StreamLeg> {
  readonly #client: StreamLeg;
  readonly #endpoint: StreamLeg;
  /** Payload of sluice's own pings in this session. Both are 0 before the first ping. */
  #pingLow = 0;
  #pingHigh = 0;
  /** How the session ended, or null. Its code also answers a close frame if the other side has closed. */
  #ending: Ending | null = null;
  #isReported = false;
  #flushWaits = 0;
  /** Whether a drain waits until both sides are between frames. */
  #awaitsDrain = false;

  constructor(
    context: StreamContext,
    rules: SessionRules,
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    log: SessionLog | null,
    admission: Admission,
  ) {
    super(context, true, endpoint, log, admission);
    this.#client = new StreamLeg(this, rules.client);
    this.#endpoint = new StreamLeg(this, rules.endpoint);
    this.#client.join(this.#endpoint);
    this.#endpoint.open(upstream);
  }

  override get extensions(): string {
    return this.#client.rules.agreed;
  }

  override discard(): void {
    this.#endpoint.abandon();
    this.endpoint.release();
    this.admission.release();
  }

  clientOpened(channel: Channel, rest: Buffer): void {
    this.#client.open(channel);
    this.countStart();
    const { meter } = this.admission;
    // Otherwise each new connection of a slowed client would read more than the limit allows.
    if (meter?.isOverLimit === true && this.#client.slowDown()) meter.wait(this.#client);
    else channel.resume();
    if (rest.length > 0) this.#client.channelData(rest, 0, rest.length);
  }

  override endpointBegan(bytes: Buffer): void {
    this.#endpoint.channelData(bytes, 0, bytes.length);
  }

  legActive(leg: StreamLeg): void {
    if (leg.isClient) this.clientActive();
    else this.endpointActive();
  }

  legMeasured(leg: StreamLeg): void {
    const waiting = leg.channel?.writableLength ?? 0;
    if (leg.isClient) this.context.budget.setDownstream(this, waiting);
    else this.context.budget.setUpstream(this, waiting);
  }

  endpointPaused(isPaused: boolean): void {
    if (isPaused) this.context.stats.paused();
    this.note(isPaused ? 'paused' : 'resumed');
  }

  clientSent(messages: number, bytes: number): void {
    const { meter } = this.admission;
    // After the end, input is read for a few seconds, only for the client's close frame.
    if (meter === null || this.hasEnded) return;
    const verdict = meter.count(messages, bytes);
    if (verdict === 'go' || (verdict === 'slow' && !this.#client.slowDown())) return;
    this.note('limited', verdict === 'close' ? meter.excess.reason : undefined);
    if (verdict === 'close') this.close(meter.excess.code, meter.excess.reason);
    else meter.wait(this.#client);
  }

  isOwnPong(payload: Uint8Array): boolean {
    if ((this.#pingLow | this.#pingHigh) === 0) return false;
    return isPingPayload(payload, this.#pingLow, this.#pingHigh);
  }

  legFinished(): void {
    const ending = this.#ending;
    if (ending === null || this.#isReported) return;
    if (this.#client.takesBytes || this.#endpoint.takesBytes) return;
    this.#isReported = true;
    this.countEnd(ending, this.#client, this.#endpoint);
  }

  legClosing(leg: StreamLeg, code: number): void {
    if (!this.hasEnded) {
      this.#noteEnd(leg.isClient ? 'client' : 'endpoint', code);
      this.awaitClose();
    }
    // A closed side cannot answer.
    if (leg.peer.channel === null) this.#close(leg, code, '', false);
    leg.endIfDone();
    leg.peer.endIfDone();
  }

  legFailed(leg: StreamLeg, code: number, reason: string): void {
    if (this.hasEnded) {
      this.#close(leg.peer, this.#endCode, '', true);
    } else if (leg.isClient) {
      this.#noteEnd('client', CLOSE_ABNORMAL, reason);
      this.#close(leg.peer, CLOSE_GOING_AWAY, '', true);
    } else {
      this.#noteEnd('endpoint', CLOSE_PROTOCOL_ERROR, reason);
      this.#close(leg.peer, this.context.settings.endpointLostCode, 'endpoint protocol error', true);
    }
    if (leg.takesBytes) leg.closeLast(closeFrame(code, reason, this.#maskFor(leg)));
    leg.endIfDone();
    this.#awaitEnd();
  }

  legEnded(leg: StreamLeg): void {
    leg.markOver();
    if (!this.hasEnded) this.#lose(leg, leg.isClient ? 'no close frame before FIN' : 'endpoint lost');
    else this.#close(leg.peer, this.#endCode, '', false);
    leg.endIfDone();
    leg.peer.endIfDone();
  }

  legClosed(leg: StreamLeg): void {
    const { peer } = leg;
    leg.markOver();
    this.legMeasured(leg);
    if (!leg.isClient) this.endpoint.release();
    if (!this.hasEnded) this.#lose(leg, leg.isClient ? 'client lost' : 'endpoint lost');
    else this.#close(peer, this.#endCode, '', false);
    peer.endIfDone();
    // Further input is read and dropped.
    peer.resume();
    this.legFinished();
    if (peer.channel === null) this.forget();
  }

  get awaitsBorder(): boolean {
    return this.#awaitsDrain || this.#client.due !== null || this.#endpoint.due !== null;
  }

  borderReached(leg: StreamLeg): void {
    const hasWaited = leg.peer.stopAwaiting();
    this.#client.sendDue();
    this.#endpoint.sendDue();
    // Not at every border: a side that keeps sending would postpone the deadline forever.
    if (hasWaited) this.#awaitEnd();
    if (this.#awaitsDrain) this.drain();
  }

  override get isEndpointPaused(): boolean {
    return this.#endpoint.isPaused || this.#client.isSlowedInFrame;
  }

  override get isClientPaused(): boolean {
    return this.#client.isPaused;
  }

  override pingEndpoint(): void {
    this.#ping(this.#endpoint);
  }

  override pingClient(): void {
    this.#ping(this.#client);
  }

  override endpointTimedOut(): void {
    this.#lose(this.#endpoint, 'endpoint timed out');
    this.#endpoint.channel?.destroy();
  }

  override clientTimedOut(): void {
    this.#lose(this.#client, 'client timed out');
    this.#client.channel?.destroy();
  }

  override lifetimePassed(): void {
    this.#closeBoth(CLOSE_SERVICE_RESTART, 'maximum lifetime reached', true);
  }

  override closeTimeoutPassed(): void {
    if (this.awaitsBorder) {
      this.#cutWaiting();
      return;
    }
    this.#close(this.#endpoint, this.#endCode, '', false);
    this.#endpoint.channel?.destroy();
    this.#close(this.#client, this.#endCode, '', false);
    const { channel } = this.#client;
    if (channel === null) return;
    if (channel.writableLength > 0 && this.#flushWaits++ < MAX_FLUSH_WAITS) this.awaitClose();
    else channel.destroy();
  }

  override evict(reason: string): boolean {
    if (this.hasEnded) return false;
    this.note('evicted', reason);
    this.#closeBoth(CLOSE_SERVICE_RESTART, reason, true);
    return true;
  }

  override close(code: number, reason: string): boolean {
    if (this.hasEnded) return false;
    this.#closeBoth(code, reason, true, reason);
    return true;
  }

  override drain(): boolean {
    this.#awaitsDrain = !this.hasEnded && !(this.#client.isBetweenFrames && this.#endpoint.isBetweenFrames);
    if (this.#awaitsDrain) return false;
    if (!this.hasEnded) this.note('draining');
    this.#closeBoth(CLOSE_SERVICE_RESTART, 'service restart', true);
    return true;
  }

  override undrain(): void {
    this.#awaitsDrain = false;
  }

  override end(): void {
    this.#closeBoth(CLOSE_SERVICE_RESTART, 'service restart', false);
    this.#cutWaiting();
  }

  override abort(): void {
    if (!this.hasEnded) this.#noteEnd('proxy', CLOSE_ABNORMAL);
    for (const leg of [this.#client, this.#endpoint]) leg.finish();
    this.#client.channel?.destroy();
    this.#endpoint.channel?.destroy();
  }

  override measureBuffers(): void {
    this.legMeasured(this.#endpoint);
    this.legMeasured(this.#client);
  }

  override shed(): void {
    if (!this.hasEnded) this.#noteEnd('proxy', CLOSE_TRY_AGAIN_LATER, 'proxy overloaded');
    this.awaitClose();
    // A close frame would wait behind the bytes that must be freed.
    if ((this.#client.channel?.writableLength ?? 0) > 0) this.#client.channel?.destroy();
    else this.#close(this.#client, CLOSE_TRY_AGAIN_LATER, 'proxy overloaded', false);
    this.#endpoint.channel?.destroy();
  }

  /**
   * Ends the session on behalf of sluice, unless it has ended.
   *
   * @param reason for the client
   * @param waits as for {@link StreamLeg.close}
   * @param logged reason for the log, unless the code is enough
   */
  #closeBoth(code: number, reason: string, waits: boolean, logged?: string): void {
    if (this.hasEnded) return;
    this.#noteEnd('proxy', code, logged);
    this.#close(this.#client, code, reason, waits);
    this.#close(this.#endpoint, CLOSE_GOING_AWAY, '', waits);
    this.#awaitEnd();
  }

  /** Ends the session because a side closed without a close frame. Sends the other side a close frame. */
  #lose(leg: StreamLeg, reason: string): void {
    this.#noteEnd(leg.isClient ? 'client' : 'endpoint', CLOSE_ABNORMAL, reason);
    this.awaitClose();
    if (leg.isClient) this.#close(this.#endpoint, CLOSE_GOING_AWAY, '', false);
    else this.#close(this.#client, this.context.settings.endpointLostCode, reason, false);
  }

  /** Sends a side a close frame, unless it got its last frame. @param waits as for {@link StreamLeg.close} */
  #close(leg: StreamLeg, code: number, reason: string, waits: boolean): void {
    if (leg.takesBytes) leg.close(closeFrame(code, reason, this.#maskFor(leg)), waits);
  }

  #ping(leg: StreamLeg): void {
    // A relayed ping also gets a pong, and a peer may answer only the latest ping.
    if (leg.owesPong || !leg.takesBytes) return;
    if ((this.#pingLow | this.#pingHigh) === 0) {
      this.#pingLow = this.context.random.int32();
      this.#pingHigh = this.context.random.int32();
    }
    leg.ping(pingFrame(this.#pingLow, this.#pingHigh, this.#maskFor(leg)));
  }

  /** Closes the connections whose own close frame or ping waits for a frame that does not end. */
  #cutWaiting(): void {
    if (!this.awaitsBorder) return;
    this.#client.cutDue();
    this.#endpoint.cutDue();
    this.awaitClose();
  }

  /** Gives both sides time to close, starting when they have been sent their close frames. */
  #awaitEnd(): void {
    const awaitsBorder = this.#client.awaitsBorder || this.#endpoint.awaitsBorder;
    this.awaitClose(awaitsBorder ? FRAME_WAIT_MS : undefined);
  }

  #maskFor(leg: StreamLeg): number | null {
    if (leg.isClient) return null;
    return this.context.randomMasks ? this.context.random.int32() : 0;
  }

  get #endCode(): number {
    return this.#ending?.code ?? CLOSE_NO_STATUS;
  }

  /** Records how the session ended. @param reason for the log only */
  #noteEnd(side: Ending['side'], code: number, reason?: string): void {
    this.markEnded();
    this.#awaitsDrain = false;
    this.#ending = { side, code, reason };
    this.admission.meter?.cancelWait(this.#client);
    this.legFinished();
    // Its input must continue before the deadlines: the close frame, or the end of an incomplete frame.
    this.#client.resumeReading();
  }
}
