import type { UpstreamOwner, UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';

/** An endpoint's end of a connection: what it has been sent, and whether it takes more. */
export class FakeSocket implements UpstreamSocket {
  owner: UpstreamOwner | null;
  readonly fd = -1;
  writableLength = 0;
  destroyed = false;
  readonly writableEnded = false;
  received = '';
  takes = true;
  paused = false;

  constructor(owner: UpstreamOwner | null) {
    this.owner = owner;
  }

  write(bytes: Uint8Array): boolean {
    this.received += Buffer.from(bytes).toString('latin1');
    return this.takes;
  }

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  forward(input: Buffer, start: number, end: number): boolean {
    return this.write(input.subarray(start, end));
  }

  splice(): boolean {
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** The endpoint sends. */
  say(text: string): void {
    this.owner?.channelData(Buffer.from(text, 'latin1'), 0, Buffer.byteLength(text, 'latin1'));
  }

  end(): void {
    this.destroyed = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  resetAndDestroy(): void {
    this.destroyed = true;
  }
}
