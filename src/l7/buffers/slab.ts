import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';

/** Memory in which a worker gathers bytes for many sockets, to write them in a row. */
export interface Slab {
  readonly bytes: Buffer;
  /**
   * Sends `bytes[start, end)` on a socket's descriptor.
   *
   * @returns the number of bytes that the kernel has taken; negative if it takes none or system calls are not used
   */
  send(fd: number, start: number, end: number): number;
}

/** Makes a slab. @param hasCalls whether system calls are used */
export function createSlab(bytes: number, hasCalls: boolean): Slab {
  return hasCalls ? new PinnedBuffer(bytes) : { bytes: Buffer.allocUnsafeSlow(bytes), send: () => -1 };
}
