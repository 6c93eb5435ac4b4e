import type { UpstreamOwner, UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { FakeConnection } from '../../../support/sockets/fake-connection.ts';

/** An endpoint's end of a connection: the bytes it received, and whether it takes more. */
export class FakeSocket extends FakeConnection implements UpstreamSocket {
  owner: UpstreamOwner | null;
  writableLength = 0;
  readonly writableEnded = false;
  received = '';
  takes = true;

  constructor(owner: UpstreamOwner | null) {
    super();
    this.owner = owner;
  }

  write(bytes: Uint8Array): boolean {
    this.received += Buffer.from(bytes).toString('latin1');
    return this.takes;
  }

  /** The endpoint sends. */
  say(text: string): void {
    this.owner?.channelData(Buffer.from(text, 'latin1'), 0, Buffer.byteLength(text, 'latin1'));
  }

  splice(): boolean {
    return false;
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
