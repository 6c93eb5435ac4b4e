import type { Slab } from '../buffers/slab.ts';
import type { UpstreamSocket } from '../contract/upstream-socket.ts';

/** How large a slab has to be. */
export const REQUEST_SLAB_SIZE = 64 * 1024;
/** Bytes that a character takes in UTF-8 at most. */
const WIDEST = 3;
const NOTHING = new Uint8Array(0);
const LAST_CHUNK = '0\r\n\r\n';

/**
 * Writes requests by the system call itself, out of one slab for a whole worker: nothing is kept but what the kernel
 * does not take, which waits in the socket. Every method returns false where more should wait until the socket says
 * so (`upstreamDrained`).
 */
export class RequestWriter {
  readonly #slab: Slab;

  /** @param slab of {@link REQUEST_SLAB_SIZE} bytes */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** A head, as UTF-8. */
  head(socket: UpstreamSocket, text: string): boolean {
    if (text.length * WIDEST > REQUEST_SLAB_SIZE) return socket.write(Buffer.from(text, 'utf8'));
    return this.#flush(socket, this.#slab.bytes.write(text, 'utf8'));
  }

  /** A piece of a body of known length. @param bytes valid during the call only */
  bytes(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.#write(socket, '', bytes, '');
  }

  /** A piece of a body in chunks. @param bytes not empty, valid during the call only */
  chunk(socket: UpstreamSocket, bytes: Uint8Array): boolean {
    return this.#write(socket, `${bytes.length.toString(16)}\r\n`, bytes, '\r\n');
  }

  /** The end of a body in chunks. */
  lastChunk(socket: UpstreamSocket): boolean {
    return this.#write(socket, '', NOTHING, LAST_CHUNK);
  }

  /** One slab after the other, until the kernel takes no more. */
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

  /** How much the kernel has taken of the slab up to an end. */
  #send(socket: UpstreamSocket, end: number): number {
    if (socket.fd < 0 || socket.writableLength > 0) return 0;
    // A negative number, too: the socket finds the same error, and says so in its way.
    return Math.max(0, this.#slab.send(socket.fd, 0, end));
  }
}
