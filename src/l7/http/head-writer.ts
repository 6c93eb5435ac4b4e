import type { NetUpstream } from '../upstream/net-upstream.ts';

/** Memory that system calls can send from. */
interface Slab {
  readonly bytes: Buffer;
  /** Sends `bytes[start, end)`, or a part, on a socket's descriptor; a negative number where that cannot be. */
  send(fd: number, start: number, end: number): number;
}

/** How large a slab has to be. */
export const HEAD_SLAB_SIZE = 64 * 1024;
/** Bytes that a character takes in UTF-8 at most. */
const WIDEST = 3;

/** Writes the heads of requests by the system call itself, which costs half of what Node's streams do. */
export class HeadWriter {
  readonly #slab: Slab;

  /** @param slab of {@link HEAD_SLAB_SIZE} bytes */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** Writes text as UTF-8 to a connected socket; what the kernel does not take waits in the socket's stream. */
  write(socket: NetUpstream, text: string): void {
    if (socket.fd < 0 || socket.writableLength > 0 || text.length * WIDEST > HEAD_SLAB_SIZE) {
      socket.write(text, 'utf8');
      return;
    }
    const { bytes } = this.#slab;
    const size = bytes.write(text, 'utf8');
    const sent = Math.max(0, this.#slab.send(socket.fd, 0, size));
    if (sent < size) socket.write(Buffer.from(bytes.subarray(sent, size)));
  }
}
