import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Channel, ChannelOwner } from '../../transport/channel.ts';
import { MAX_STALL_MS } from '../contract/http-reply.ts';
import { MAX_DROPPED_BYTES } from '../contract/unread-body.ts';

/** Max time to wait for the client's FIN. */
const LINGER_MS = 2000;

/**
 * Closes a client's connection after its last answer: sends FIN, then reads and drops further bytes of the
 * client. A close with unread bytes would reset the connection, and a reset could destroy the answer in
 * transit (RFC 9112 section 9.6).
 */
export class LingeringClose extends Timed implements ChannelOwner {
  readonly #channel: Channel;
  readonly #wheel: TimerWheel;
  #dropped = 0;
  /** Bytes buffered for the client at the last check. */
  #waiting: number;
  #stalledMs = 0;

  constructor(channel: Channel, wheel: TimerWheel) {
    super();
    this.#channel = channel;
    this.#wheel = wheel;
    this.#waiting = channel.writableLength;
  }

  /** Takes over the channel, which may be closed when this returns. */
  start(): void {
    this.#channel.owner = this;
    this.#channel.resume();
    this.#channel.end();
    if (!this.#channel.destroyed) this.#wheel.arm(this, LINGER_MS);
  }

  channelData(_input: Buffer, start: number, end: number): void {
    this.#dropped += end - start;
    if (this.#dropped > MAX_DROPPED_BYTES) this.#channel.destroy();
  }

  channelEnded(): void {
    // The channel closes by itself.
  }

  channelClosed(): void {
    this.#wheel.disarm(this);
  }

  override expire(): void {
    const before = this.#waiting;
    this.#waiting = this.#channel.writableLength;
    this.#stalledMs = this.#waiting < before ? 0 : this.#stalledMs + LINGER_MS;
    // The wait for the client's FIN starts when the last bytes have left.
    if (before > 0 && this.#stalledMs < MAX_STALL_MS) this.#wheel.arm(this, LINGER_MS);
    else this.#channel.destroy();
  }
}
