import { CHUNK_END, chunkHead, lastChunk } from '../../wire/http/chunked-body/chunk-writing.ts';
import { ChannelWriter } from '../buffers/channel-writer.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';

const NOTHING = new Uint8Array(0);

/** Writes requests. Every method returns false if the caller should wait for `channelDrained`. */
export class RequestWriter extends ChannelWriter {
  /** Writes a head. @param text each character is one byte */
  head(socket: UpstreamSocket, text: string): boolean {
    return this.write(socket, text, NOTHING, '');
  }

  /** Writes a piece of a body of known length. @param bytes valid during the call only */
  bytes(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.write(socket, '', bytes, '');
  }

  /** Writes a chunk of a chunked body. @param bytes not empty, valid during the call only */
  chunk(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.write(socket, chunkHead(bytes.length), bytes, CHUNK_END);
  }

  /** Writes the end of a chunked body, with its trailers. */
  lastChunk(socket: UpstreamSocket, trailers: HeaderList): boolean {
    let lines = '';
    for (const [name, value] of trailers) lines += `${name}: ${value}\r\n`;
    return this.head(socket, lastChunk(lines));
  }
}
