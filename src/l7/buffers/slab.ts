import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { SendSource } from '../../transport/channel.ts';

/** Memory in which a worker collects bytes for many sockets before it writes them. */
export type Slab = SendSource;

/**
 * Allocates a slab.
 *
 * @param hasCalls whether system calls are on. Otherwise channels copy the slab's bytes.
 */
export function createSlab(bytes: number, hasCalls: boolean): Slab {
  if (hasCalls) return new PinnedBuffer(bytes);
  return { bytes: Buffer.allocUnsafeSlow(bytes), send: () => -1 };
}
