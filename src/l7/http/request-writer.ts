import { ChannelWriter } from '../buffers/channel-writer.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';

const NOTHING = new Uint8Array(0);
const LAST_CHUNK = '0\r\n\r\n';

/** Writes requests. Every method returns false if more should wait until `channelDrained`. */
export class RequestWriter extends ChannelWriter {
  /** Writes a head. @param text in which each character is a byte */
  head(socket: UpstreamSocket, text: string): boolean {
    return this.write(socket, text, NOTHING, '');
  }

  /** Writes a piece of a body of known length. @param bytes valid during the call only */
  bytes(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.write(socket, '', bytes, '');
  }

  /** Writes a piece of a body in chunks. @param bytes not empty, valid during the call only */
  chunk(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.write(socket, `${bytes.length.toString(16)}\r\n`, bytes, '\r\n');
  }

  /** Writes the end of a body in chunks. */
  lastChunk(socket: UpstreamSocket): boolean {
    return this.write(socket, LAST_CHUNK, NOTHING, '');
  }
}
