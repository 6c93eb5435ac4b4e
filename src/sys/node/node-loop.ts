import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';

/**
 * Returns the descriptor that becomes readable when this thread's Node event loop has work: a message, a
 * thread pool result, or a socket event. It belongs to libuv: watch it, but never read or close it.
 */
export function nodeLoopDescriptor(): number {
  const fd = nativeCalls().nodeLoopDescriptor(nodeLoopAddress());
  if (fd < 0) throw new Error("Node's event loop has no descriptor");
  return fd;
}

/** Returns the address of this thread's `uv_loop_t`. Only for files in this room. */
export function nodeLoopAddress(): bigint {
  const calls = nativeCalls();
  const slot = new PinnedBuffer(8);
  const status = calls.nodeLoop(calls.environment, addressWithin(slot, 0, 8));
  const loop = slot.bytes.readBigUInt64LE(0);
  if (status !== 0 || loop === 0n) throw new Error(`cannot find Node's event loop (status ${status})`);
  return loop;
}
