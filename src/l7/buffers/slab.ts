import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { SendSource } from '../../transport/channel.ts';

/** Memory in which a worker gathers bytes for many sockets, to write them in a row. */
export type Slab = SendSource;

/**
 * Makes a slab.
 *
 * @param bytes its size
 * @param hasCalls whether system calls are used. Else channels copy its bytes.
 */
export function createSlab(bytes: number, hasCalls: boolean): Slab {
  if (hasCalls) return new PinnedBuffer(bytes);
  return { bytes: Buffer.allocUnsafeSlow(bytes), send: () => -1 };
}
