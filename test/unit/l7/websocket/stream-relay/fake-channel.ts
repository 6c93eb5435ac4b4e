/** A connection in memory: a peer at one end, the proxy at the other. */
import type { UpstreamOwner, UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import { FakeConnection } from '../../../../support/sockets/fake-connection.ts';
import { decodeFrame } from '../../../../support/websocket/raw-frames.ts';

/** Max bytes of one read. */
const READ_BYTES = 64 * 1024;

export class FakeChannel extends FakeConnection implements UpstreamSocket {
  owner: UpstreamOwner | null = null;
  writableLength = 0;
  writableEnded = false;
  /** Whether the peer takes nothing. */
  blocked = false;
  canSplice = false;
  /** Bytes that went by `splice`. */
  spliced = 0;
  /** Most bytes that have waited at once. */
  mostWaiting = 0;
  /** FIN closes an endpoint's connection at once; a client's stays open until `end`. */
  readonly #closesOnFin: boolean;
  /** Bytes that the peer has sent and the proxy has not read. */
  #unread: Buffer = Buffer.alloc(0);
  #hasFin = false;
  #isReading = false;
  #written: Buffer[] = [];
  #target: FakeChannel | null = null;
  #toSplice = 0;

  constructor(closesOnFin: boolean) {
    super();
    this.#closesOnFin = closesOnFin;
  }

  write(bytes: Uint8Array): boolean {
    if (this.destroyed || this.writableEnded) return true;
    this.#written.push(Buffer.from(bytes));
    if (this.blocked) this.writableLength += bytes.length;
    this.mostWaiting = Math.max(this.mostWaiting, this.writableLength);
    return !this.blocked;
  }
  splice(target: object, bytes: number): boolean {
    if (!this.canSplice || !(target instanceof FakeChannel)) return false;
    this.#target = target;
    this.#toSplice = bytes;
    return true;
  }
  override resume(): void {
    super.resume();
    this.#read();
  }
  end(): void {
    if (this.destroyed) return;
    this.writableEnded = true;
    if (this.#hasFin && this.#unread.length === 0) this.destroy();
  }
  destroy(): void {
    this.lose(null);
  }
  resetAndDestroy(): void {
    this.lose(null);
  }

  /** The peer sends bytes. */
  send(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    this.#read();
  }

  /** The peer sends FIN. */
  sendFin(): void {
    this.#hasFin = true;
    this.#read();
  }

  /** The connection breaks. */
  lose(error: Error | null): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.writableLength = 0;
    const { owner } = this;
    this.owner = null;
    owner?.channelClosed(error);
  }

  /** The peer takes everything that waits. */
  drain(): void {
    this.blocked = false;
    if (this.writableLength === 0 || this.destroyed) return;
    this.writableLength = 0;
    if (!this.writableEnded) this.owner?.channelDrained?.();
  }

  /** Bytes of the peer that have not been read. */
  get unread(): number {
    return this.#unread.length;
  }

  /** Everything that the peer has been sent. */
  get bytes(): Buffer {
    if (this.#written.length > 1) this.#written = [Buffer.concat(this.#written)];
    return this.#written[0] ?? Buffer.alloc(0);
  }

  /** Opcode and payload of every frame that the peer has been sent. */
  get frames(): [opcode: number, payload: string][] {
    const frames: [number, string][] = [];
    let { bytes } = this;
    for (let next = decodeFrame(bytes); next !== null; next = decodeFrame(bytes)) {
      frames.push([next.frame.opcode, next.frame.payload.toString('latin1')]);
      bytes = bytes.subarray(next.length);
    }
    return frames;
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.paused && !this.destroyed && this.#unread.length > 0) {
      const part = this.#unread.subarray(0, READ_BYTES);
      if (this.#target === null) {
        this.#unread = this.#unread.subarray(part.length);
        const input = Buffer.concat([Buffer.from('..'), part, Buffer.from('..')]);
        this.owner?.channelData(input, 2, 2 + part.length);
        input.fill(0xff);
      } else {
        this.#move(part.subarray(0, this.#toSplice));
      }
    }
    this.#isReading = false;
    if (!this.#hasFin || this.paused || this.destroyed || this.#unread.length > 0) return;
    const { owner } = this;
    owner?.channelEnded();
    if (this.#closesOnFin || this.writableEnded) this.destroy();
  }

  #move(part: Buffer): void {
    this.#unread = this.#unread.subarray(part.length);
    this.spliced += part.length;
    this.#toSplice -= part.length;
    const isTaken = this.#target!.write(part);
    if (this.#toSplice === 0) this.#target = null;
    this.owner?.channelSpliced?.(part.length, isTaken);
  }
}
