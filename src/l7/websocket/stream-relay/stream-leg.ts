import type { MeteredReader } from '../../../access/contract/traffic-meter.ts';
import type { Channel } from '../../../transport/channel.ts';
import { FrameTracker } from '../../../wire/frames/frame-tracker.ts';
import type { UpstreamOwner } from '../../contract/upstream-socket.ts';
import type { LegOwner } from './leg-owner.ts';
import { isCloseFrame, tapOwnFrame } from './own-frames.ts';
import type { LegRules } from './stream-context.ts';

/**
 * Max bytes of one read, and so of the bytes that wait for a slow side. Fits a frame of 64 KiB, which is a
 * common size.
 */
const MAX_READ_BYTES = 64 * 1024 + 64;
/** Min payload of a frame that is spliced. Below it, the system calls cost more than the copies. */
const MIN_SPLICE_BYTES = 48 * 1024;

// Bits of a leg's state.
/** Reading from this side is paused because the other side is slow. */
const PAUSED = 1;
/** This side got a ping from the other side, and has not answered it. */
const OWES_PONG = 2;
/** This side was sent a close frame, or its direction of the connection was closed: it gets no more bytes. */
const FINISHED = 4;
/** This side has sent its last relevant byte: a close frame, FIN, or a protocol violation. */
const OVER = 8;
/** The side is the client. */
const IS_CLIENT = 16;
/** The close frame due to this side replaces the other side's last frame. */
const REPLACES_LAST = 32;
/** The close frame due to this side waits for the end of an incomplete frame. */
const AWAITS_BORDER = 64;
/** Reading from this side is paused by a limit on the client's traffic. */
const SLOWED = 128;

/**
 * One side of a session: reads its connection, tracks its frames, and forwards its bytes to the other side.
 * It is paused while the other side is slow, so that at most one read is buffered. A client over a limit is
 * also paused.
 */
export class StreamLeg extends FrameTracker<LegRules> implements UpstreamOwner, MeteredReader {
  /** Null before the client's 101, and after the connection has closed. */
  channel: Channel | null = null;
  /** A frame of sluice's own that waits for the end of the frame to this side, or of all frames. */
  due: Buffer | null = null;
  readonly #owner: LegOwner<StreamLeg>;
  /** The other side. */
  #peer: StreamLeg = this;
  #state: number;

  constructor(owner: LegOwner<StreamLeg>, rules: LegRules) {
    super(rules);
    this.#owner = owner;
    this.#state = rules.masked ? IS_CLIENT : 0;
  }

  /** Joins two new legs. */
  join(peer: StreamLeg): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  get peer(): StreamLeg {
    return this.#peer;
  }

  get isClient(): boolean {
    return (this.#state & IS_CLIENT) !== 0;
  }

  get isPaused(): boolean {
    return (this.#state & (PAUSED | SLOWED)) !== 0;
  }

  /** Whether the other side waits for the rest of a frame that a limit delays. Pings to it must wait, too. */
  get isSlowedInFrame(): boolean {
    return (this.#state & SLOWED) !== 0 && this.payloadLeft > 0;
  }

  get owesPong(): boolean {
    return (this.#state & OWES_PONG) !== 0;
  }

  /** Whether this side may still be sent bytes. */
  get takesBytes(): boolean {
    return (this.#state & FINISHED) === 0 && this.channel !== null;
  }

  /** Whether this side has sent a close frame, FIN, or a protocol violation. */
  get isOver(): boolean {
    return (this.#state & OVER) !== 0;
  }

  /** Whether the bytes sent to this side end between two frames. */
  get isBetweenFrames(): boolean {
    return this.#peer.payloadLeft === 0;
  }

  /** Whether one of sluice's own close frames waits for the end of an incomplete frame. */
  get awaitsBorder(): boolean {
    return this.due !== null && (this.#state & AWAITS_BORDER) !== 0;
  }

  /** Takes the side's connection. */
  open(channel: Channel): void {
    this.channel = channel;
    channel.owner = this;
  }

  /** Cuts the side's connection, without further callbacks. */
  abandon(): void {
    const { channel } = this;
    if (channel === null) return;
    channel.owner = null;
    channel.destroy();
  }

  /** Marks that this side got its last frame. Reading from the other side resumes, for its close frame. */
  finish(): void {
    this.#state |= FINISHED;
    this.due = null;
    this.#peer.resume();
    this.#owner.legFinished();
  }

  /** Marks that this side has sent its last relevant byte. */
  markOver(): void {
    this.#state |= OVER;
  }

  /** Resumes reading when the other side is {@link FINISHED}, or has taken the buffered bytes. */
  resume(): void {
    this.#resumeFrom(PAUSED);
  }

  /** Pauses reading until {@link resumeReading}. Returns false if it is already paused that way. */
  slowDown(): boolean {
    if ((this.#state & SLOWED) !== 0) return false;
    this.#state |= SLOWED;
    this.channel?.pause();
    return true;
  }

  resumeReading(): void {
    if (this.isSlowedInFrame) this.#owner.legActive(this.#peer);
    this.#resumeFrom(SLOWED);
  }

  /** Sends the side a ping, after the end of an incomplete frame. */
  ping(frame: Buffer): void {
    if (this.isBetweenFrames) this.#send(frame);
    else this.due ??= frame;
  }

  /**
   * Sends the side a close frame, its last frame.
   *
   * @param waits whether to wait for the end of an incomplete frame. Otherwise the connection gets FIN
   * without the close frame.
   */
  close(frame: Buffer, waits: boolean): void {
    if (!this.#replacesLast) this.due = frame;
    if (this.isBetweenFrames) this.sendDue();
    else if (waits) this.#state |= AWAITS_BORDER;
    else this.cutDue();
  }

  /** Sends the side a close frame instead of the other side's last frame, which may not arrive. */
  closeLast(frame: Buffer): void {
    this.#state |= this.isBetweenFrames ? REPLACES_LAST : REPLACES_LAST | AWAITS_BORDER;
    this.due = frame;
    this.sendDue();
  }

  /** Clears the wait after the end of an incomplete frame. Returns whether {@link awaitsBorder} was true. */
  stopAwaiting(): boolean {
    const hasWaited = this.awaitsBorder;
    this.#state &= ~AWAITS_BORDER;
    return hasWaited;
  }

  /** Sends the due frame, unless earlier frames are missing. */
  sendDue(): void {
    const { due } = this;
    if (due === null || !this.isBetweenFrames || (this.#replacesLast && !this.#peer.isOver)) return;
    this.due = null;
    this.#send(due);
  }

  /** Sends the due frame now, or FIN if a frame is incomplete. */
  cutDue(): void {
    const { due } = this;
    if (due === null) return;
    if (this.isBetweenFrames) this.#send(due);
    else this.finish();
    this.channel?.end();
  }

  /** Sends FIN after the last frame, to a side that sends no more bytes either. */
  endIfDone(): void {
    if (this.isOver && !this.takesBytes) this.channel?.end();
  }

  upstreamConnected(): void {
    // Only handshakes wait for the connection.
  }

  maxReadBytes(): number {
    return MAX_READ_BYTES;
  }

  channelData(input: Buffer, start: number, end: number): void {
    const owner = this.#owner;
    const { messages, bytes } = this;
    owner.legActive(this);
    let at = start;
    if (owner.awaitsBorder && this.payloadLeft > 0) {
      at = Math.min(end, start + this.payloadLeft);
      this.#take(input, start, at);
      if (this.payloadLeft === 0) owner.borderReached(this);
    }
    if (at < end) this.#take(input, at, end);
    this.#count(messages, bytes, end - start);
    if (this.payloadLeft >= MIN_SPLICE_BYTES) this.#splice();
  }

  channelSpliced(bytes: number, isTaken: boolean): void {
    const owner = this.#owner;
    const { messages, bytes: before } = this;
    owner.legActive(this);
    if (owner.tap !== null) owner.tap.skipped(this.isClient, bytes);
    this.skip(bytes);
    this.#count(messages, before, bytes);
    if (!isTaken) this.#pause();
    if (owner.awaitsBorder && this.payloadLeft === 0) owner.borderReached(this);
  }

  channelDrained(): void {
    // A side that takes bytes is alive.
    this.#owner.legActive(this);
    this.#owner.legMeasured(this);
    this.#peer.resume();
  }

  channelEnded(): void {
    this.#owner.legEnded(this);
  }

  channelClosed(error: Error | null): void {
    this.channel = null;
    this.due = null;
    this.#owner.legClosed(this, error);
  }

  protected override forwardFrames(input: Buffer, start: number, end: number): void {
    const peer = this.#peer;
    if (!peer.takesBytes || peer.channel!.forward(input, start, end)) return;
    this.#pause();
  }

  protected override framePing(): void {
    if (this.#peer.takesBytes) this.#peer.#state |= OWES_PONG;
  }

  protected override framePong(payload: Uint8Array): boolean {
    if (this.#owner.isOwnPong(payload)) return false;
    this.#state &= ~OWES_PONG;
    return true;
  }

  protected override forwardsClose(): boolean {
    return !this.#peer.#replacesLast;
  }

  protected override frameClose(code: number): void {
    this.markOver();
    if (this.#peer.#replacesLast) this.#peer.sendDue();
    else if (this.#peer.takesBytes) this.#peer.finish();
    this.#owner.legClosing(this, code);
  }

  protected override frameFailed(code: number, reason: string): void {
    this.markOver();
    this.#owner.legFailed(this, code, reason);
  }

  get #replacesLast(): boolean {
    return (this.#state & REPLACES_LAST) !== 0;
  }

  #take(input: Buffer, start: number, end: number): void {
    const { tap } = this.#owner;
    if (tap !== null && !this.isStopped) tap.received(this.isClient, this, input, start, end);
    this.track(input, start, end);
  }

  #send(frame: Buffer): void {
    const { tap } = this.#owner;
    if (tap !== null) tapOwnFrame(tap, this.isClient, frame);
    const isTaken = this.channel!.write(frame);
    if (isCloseFrame(frame)) {
      this.finish();
      this.endIfDone();
    }
    if (!isTaken) this.#owner.legMeasured(this);
  }

  /** Pauses reading until the other side has taken the buffered bytes. */
  #pause(): void {
    if ((this.#state & PAUSED) === 0) {
      this.#state |= PAUSED;
      this.channel?.pause();
      if (!this.isClient) this.#owner.endpointPaused(true);
    }
    this.#owner.legMeasured(this.#peer);
  }

  /** Removes one reason for the pause. Resumes reading if no other is left. */
  #resumeFrom(reason: typeof PAUSED | typeof SLOWED): void {
    if ((this.#state & reason) === 0) return;
    this.#state &= ~reason;
    if (!this.isClient && reason === PAUSED) this.#owner.endpointPaused(false);
    if (this.isPaused) return;
    this.#owner.legActive(this);
    this.channel?.resume();
  }

  #splice(): void {
    const target = this.#peer.channel;
    if (!this.#peer.takesBytes || this.isPaused || target!.writableLength > 0) return;
    // Spliced bytes are invisible to a tap.
    if (this.#owner.tap !== null) return;
    this.channel?.splice(target!, this.payloadLeft);
  }

  /** Counts a read of `read` bytes. @param messages and bytes that this leg had counted before it */
  #count(messages: number, bytes: number, read: number): void {
    const owner = this.#owner;
    const { stats } = owner.context;
    const more = this.messages - messages;
    stats.values[this.isClient ? stats.messagesUpstream : stats.messagesDownstream]! += more;
    stats.values[this.isClient ? stats.bytesUpstream : stats.bytesDownstream]! += this.bytes - bytes;
    if (this.isClient && owner.admission.meter !== null) owner.clientSent(more, read);
  }
}
