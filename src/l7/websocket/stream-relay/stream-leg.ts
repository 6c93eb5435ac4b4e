import type { MeteredReader } from '../../../access/contract/traffic-meter.ts';
import type { Channel } from '../../../transport/channel.ts';
import { FrameTracker } from '../../../wire/frames/frame-tracker.ts';
import type { UpstreamOwner } from '../../contract/upstream-socket.ts';
import type { LegOwner } from './leg-owner.ts';
import { isCloseFrame, tellOwnFrame } from './own-frames.ts';
import type { LegRules } from './stream-context.ts';

/** Max bytes of one read, and so of what waits for a slow side: a frame of 64 KiB, which is a common size, is read at once. */
const MAX_READ_BYTES = 64 * 1024 + 64;
/** Min bytes of a frame's payload that are spliced: for fewer the system calls cost more than the copies. */
const MIN_SPLICE_BYTES = 48 * 1024;

// Bits of a leg's state.
/** Nothing is read from this side, because the other side is slow. */
const PAUSED = 1;
/** This side has got a ping of the other side, and has not answered it. */
const OWES_PONG = 2;
/** This side has been sent a close frame, or its half of the connection has been closed: it gets nothing more. */
const FINISHED = 4;
/** This side has sent its last byte that counts: a close frame, FIN, or a breach of the protocol. */
const OVER = 8;
/** The side is the client. */
const IS_CLIENT = 16;
/** The close frame that is due to this side replaces the other side's last frame. */
const REPLACES_LAST = 32;
/** The close frame that is due to this side waits for the end of a frame under way. */
const AWAITS_BORDER = 64;
/** Nothing is read from this side, because a limit on what the client sends holds it back. */
const SLOWED = 128;

/**
 * One side of a session: reads its connection, tracks its frames, and passes its bytes on to the other side. While the other
 * side is slow, this side is paused, so that at most one read waits. A client that exceeds a limit is paused too.
 */
export class StreamLeg extends FrameTracker<LegRules> implements UpstreamOwner, MeteredReader {
  /** Null before the client has been answered 101, and after the connection has closed. */
  channel: Channel | null = null;
  /** A frame of the proxy's own that waits until the frame under way to this side has ended, or all frames have. */
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

  /** Whether the other side waits for a frame that a limit holds back. It cannot be pinged meanwhile. */
  get isSlowedInFrame(): boolean {
    return (this.#state & SLOWED) !== 0 && this.payloadLeft > 0;
  }

  get owesPong(): boolean {
    return (this.#state & OWES_PONG) !== 0;
  }

  /** Whether this side may still be sent something. */
  get takesBytes(): boolean {
    return (this.#state & FINISHED) === 0 && this.channel !== null;
  }

  /** Whether this side has sent a close frame, FIN, or a breach. */
  get isOver(): boolean {
    return (this.#state & OVER) !== 0;
  }

  /** Whether what this side has been sent ends between two frames. */
  get isBetweenFrames(): boolean {
    return this.#peer.payloadLeft === 0;
  }

  /** Whether a close frame of the proxy's own waits for the end of a frame under way. */
  get awaitsBorder(): boolean {
    return this.due !== null && (this.#state & AWAITS_BORDER) !== 0;
  }

  /** Takes the side's connection. */
  open(channel: Channel): void {
    this.channel = channel;
    channel.owner = this;
  }

  /** Cuts the side's connection, and hears nothing more of it. */
  abandon(): void {
    const { channel } = this;
    if (channel === null) return;
    channel.owner = null;
    channel.destroy();
  }

  /** This side has been sent its last frame. The other side is read on, for its close frame. */
  finish(): void {
    this.#state |= FINISHED;
    this.due = null;
    this.#peer.resume();
    this.#owner.legFinished();
  }

  /** This side has sent its last byte that counts. */
  markOver(): void {
    this.#state |= OVER;
  }

  /** Reads on after {@link FINISHED} of the other side, or when it has taken what waited. */
  resume(): void {
    this.#resumeFrom(PAUSED);
  }

  /** Reads nothing more until {@link readOn}. Returns false if this holds already. */
  slowDown(): boolean {
    if ((this.#state & SLOWED) !== 0) return false;
    this.#state |= SLOWED;
    this.channel?.pause();
    return true;
  }

  readOn(): void {
    if (this.isSlowedInFrame) this.#owner.legHeard(this.#peer);
    this.#resumeFrom(SLOWED);
  }

  /** Sends the side a ping, which waits for the end of a frame under way. */
  ping(frame: Buffer): void {
    if (this.isBetweenFrames) this.#send(frame);
    else this.due ??= frame;
  }

  /**
   * Sends the side a close frame, which is its last frame.
   *
   * @param waits whether the close frame waits for the end of a frame under way; else the connection gets FIN without it
   */
  close(frame: Buffer, waits: boolean): void {
    if (!this.#replacesLast) this.due = frame;
    if (this.isBetweenFrames) this.sendDue();
    else if (waits) this.#state |= AWAITS_BORDER;
    else this.cutDue();
  }

  /** Sends the side a close frame in place of the other side's last frame, which may come or not. */
  closeLast(frame: Buffer): void {
    this.#state |= this.isBetweenFrames ? REPLACES_LAST : REPLACES_LAST | AWAITS_BORDER;
    this.due = frame;
    this.sendDue();
  }

  /** The frame under way has ended. Returns whether {@link awaitsBorder} held. */
  stopAwaiting(): boolean {
    const hasWaited = this.awaitsBorder;
    this.#state &= ~AWAITS_BORDER;
    return hasWaited;
  }

  /** Sends the frame that waits, unless frames before it are still to come. */
  sendDue(): void {
    const { due } = this;
    if (due === null || !this.isBetweenFrames || (this.#replacesLast && !this.#peer.isOver)) return;
    this.due = null;
    this.#send(due);
  }

  /** Sends the frame that waits now; FIN instead of it if a frame is under way. */
  cutDue(): void {
    const { due } = this;
    if (due === null) return;
    if (this.isBetweenFrames) this.#send(due);
    else this.finish();
    this.channel?.end();
  }

  /** Sends FIN behind the last frame to a side that sends nothing more either. */
  endIfDone(): void {
    if (this.isOver && !this.takesBytes) this.channel?.end();
  }

  upstreamConnected(): void {
    // Only a handshake waits for it.
  }

  maxReadBytes(): number {
    return MAX_READ_BYTES;
  }

  channelData(input: Buffer, start: number, end: number): void {
    const owner = this.#owner;
    const { messages, bytes } = this;
    owner.legHeard(this);
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
    owner.legHeard(this);
    if (owner.tap !== null) owner.tap.skipped(this.isClient, bytes);
    this.skip(bytes);
    this.#count(messages, before, bytes);
    if (!isTaken) this.#pause();
    if (owner.awaitsBorder && this.payloadLeft === 0) owner.borderReached(this);
  }

  channelDrained(): void {
    // A side that takes bytes is alive.
    this.#owner.legHeard(this);
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

  protected override framesPassed(input: Buffer, start: number, end: number): void {
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

  protected override closePasses(): boolean {
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
    if (tap !== null) tellOwnFrame(tap, this.isClient, frame);
    const isTaken = this.channel!.write(frame);
    if (isCloseFrame(frame)) {
      this.finish();
      this.endIfDone();
    }
    if (!isTaken) this.#owner.legMeasured(this);
  }

  /** Reads nothing more until the other side has taken what waits. */
  #pause(): void {
    if ((this.#state & PAUSED) === 0) {
      this.#state |= PAUSED;
      this.channel?.pause();
      if (!this.isClient) this.#owner.endpointPaused(true);
    }
    this.#owner.legMeasured(this.#peer);
  }

  /** Takes back one reason to read nothing. Reads on if there is no other. */
  #resumeFrom(reason: typeof PAUSED | typeof SLOWED): void {
    if ((this.#state & reason) === 0) return;
    this.#state &= ~reason;
    if (!this.isClient && reason === PAUSED) this.#owner.endpointPaused(false);
    if (this.isPaused) return;
    this.#owner.legHeard(this);
    this.channel?.resume();
  }

  #splice(): void {
    const target = this.#peer.channel;
    if (!this.#peer.takesBytes || this.isPaused || target!.writableLength > 0) return;
    // What is spliced cannot be shown.
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
