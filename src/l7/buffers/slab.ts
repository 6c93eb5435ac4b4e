import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { SendSource } from '../../transport/channel.ts';

/** Memory in which a worker gathers bytes for many sockets, to write them in a row. */
export type Slab = SendSource;

/** Makes a slab. @param hasCalls whether system calls are used */
export function createSlab(bytes: number, hasCalls: boolean): Slab {
  return hasCalls ? new PinnedBuffer(bytes) : { bytes: Buffer.allocUnsafeSlow(bytes), send: () => -1 };
}
