import type { Slab } from '../buffers/slab.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';

/** Size of a slab. */
export const REQUEST_SLAB_SIZE = 64 * 1024;
const NOTHING = new Uint8Array(0);
const LAST_CHUNK = '0\r\n\r\n';

/**
 * Writes requests by the system call itself, out of one slab for a whole worker. Bytes that the kernel does not take wait in
 * the socket. Every method returns false if more should wait until `channelDrained`.
 */
export class RequestWriter {
  readonly #slab: Slab;

  /** @param slab of {@link REQUEST_SLAB_SIZE} bytes */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Writes a head. @param text in which each character is a byte */
  head(socket: UpstreamSocket, text: string): boolean {
    if (text.length > REQUEST_SLAB_SIZE) return socket.write(Buffer.from(text, 'latin1'));
    return this.#flush(socket, this.#slab.bytes.write(text, 'latin1'));
  }

  /** Writes a piece of a body of known length. @param bytes valid during the call only */
  bytes(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.#write(socket, '', bytes, '');
  }

  /** Writes a piece of a body in chunks. @param bytes not empty, valid during the call only */
  chunk(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.#write(socket, `${bytes.length.toString(16)}\r\n`, bytes, '\r\n');
  }

  /** Writes the end of a body in chunks. */
  lastChunk(socket: UpstreamSocket): boolean {
    return this.#write(socket, '', NOTHING, LAST_CHUNK);
  }

  /** Writes slab by slab until the kernel takes no more. */
  #write(socket: UpstreamSocket, before: string, bytes: Uint8Array, behind: string): boolean {
    const slab = this.#slab.bytes;
    let filled = slab.write(before, 'latin1');
    for (let at = 0; ;) {
      const piece = bytes.subarray(at, at + slab.length - filled - behind.length);
      slab.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      const isLast = at === bytes.length;
      if (isLast) return this.#flush(socket, filled + slab.write(behind, filled, 'latin1'));
      const sent = this.#send(socket, filled);
      if (sent < filled) {
        socket.writeCopy(slab.subarray(sent, filled));
        const goesOn = socket.writeCopy(bytes.subarray(at));
        return behind === '' ? goesOn : socket.write(Buffer.from(behind, 'latin1'));
      }
      filled = 0;
    }
  }

  #flush(socket: UpstreamSocket, filled: number): boolean {
    const sent = this.#send(socket, filled);
    return sent === filled || socket.writeCopy(this.#slab.bytes.subarray(sent, filled));
  }

  /** Sends the slab up to `end`. Returns how many bytes the kernel has taken. */
  #send(socket: UpstreamSocket, end: number): number {
    if (socket.fd < 0 || socket.writableLength > 0) return 0;
    // After an error, too: the socket meets the same error and reports it.
    return Math.max(0, this.#slab.send(socket.fd, 0, end));
  }
}
