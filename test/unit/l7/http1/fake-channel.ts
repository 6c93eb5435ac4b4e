import type { ChannelOwner } from '../../../../src/transport/channel.ts';
import type { ClientChannel } from '../../../../src/transport/client-transport.ts';
import type { SocketEnds } from '../../../../src/transport/connection-ends.ts';
import { FakeConnection } from '../../../support/sockets/fake-connection.ts';

import { endsOf } from '../connection-ends.ts';

/** A client's connection in memory: the bytes in both directions. */
export class FakeChannel extends FakeConnection implements ClientChannel {
  liveIndex = -1;
  owner: ChannelOwner | null = null;
  writableEnded = false;
  isReset = false;
  override paused = true;
  /** The pieces that the client has got, each of one write. */
  readonly pieces: string[] = [];
  /** How many bytes the client takes. */
  room = Infinity;
  #waiting = Buffer.alloc(0);
  #ended = false;
  readonly #closed: () => void;

  /** @param closed called once behind `channelClosed` */
  constructor(closed: () => void) {
    super();
    this.#closed = closed;
  }

  /** All that the client has got. */
  get text(): string {
    return this.pieces.join('');
  }

  ends(): SocketEnds {
    const { source, destination } = endsOf('192.0.2.1');
    return { source, destination };
  }

  /** The client sends, in one piece. */
  say(text: string): void {
    const bytes = Buffer.from(`..${text}.`, 'latin1');
    this.owner?.channelData(bytes, 2, bytes.length - 1);
    // The memory is used again.
    bytes.fill('#');
  }

  /** The client sends FIN. */
  fin(): void {
    this.#ended = true;
    this.owner?.channelEnded();
    if (this.writableEnded && this.#waiting.length === 0) this.#close(null);
  }

  /** The connection breaks. */
  break(): void {
    this.#close(new Error('reset'));
  }

  /** The client takes more. */
  take(bytes: number): void {
    this.room = bytes;
    const bytesTaken = this.#waiting.subarray(0, bytes);
    this.#waiting = this.#waiting.subarray(bytes);
    this.#receive(bytesTaken);
    if (this.#waiting.length > 0) return;
    if (!this.writableEnded) this.owner?.channelDrained?.();
    else if (this.#ended) this.#close(null);
  }

  get writableLength(): number {
    return this.#waiting.length;
  }

  write(bytes: Uint8Array): boolean {
    if (this.destroyed || this.writableEnded) return true;
    const taken = this.#waiting.length > 0 ? 0 : Math.min(this.room, bytes.length);
    this.#receive(bytes.subarray(0, taken));
    this.#waiting = Buffer.concat([this.#waiting, bytes.subarray(taken)]);
    return this.#waiting.length === 0;
  }

  splice(): boolean {
    return false;
  }

  end(): void {
    if (this.destroyed) return;
    this.writableEnded = true;
    if (this.#ended && this.#waiting.length === 0) this.#close(null);
  }

  destroy(): void {
    this.#close(null);
  }

  resetAndDestroy(): void {
    this.isReset = true;
    this.#close(null);
  }

  #receive(bytes: Uint8Array): void {
    this.room -= bytes.length;
    if (bytes.length > 0) this.pieces.push(Buffer.from(bytes).toString('latin1'));
  }

  #close(error: Error | null): void {
    if (this.destroyed) return;
    this.destroyed = true;
    const { owner } = this;
    this.owner = null;
    owner?.channelClosed(error);
    this.#closed();
  }
}
