import { nativeCalls } from '../native-calls.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';

/**
 * The descriptor that becomes readable when Node's event loop of this thread has something to do: a message, a
 * result of the thread pool, a socket of its own. It is libuv's, to be watched and never to be read or closed.
 */
export function nodeLoopDescriptor(): number {
  const fd = nativeCalls().nodeLoopDescriptor(loopOfNode());
  if (fd < 0) throw new Error('the event loop of Node has no descriptor');
  return fd;
}

/** Returns the address of the `uv_loop_t` of this thread, for the other files of this room. */
export function loopOfNode(): bigint {
  const calls = nativeCalls();
  const slot = new PinnedBuffer(8);
  const status = calls.nodeLoop(calls.environment, addressWithin(slot, 0, 8));
  const loop = slot.bytes.readBigUInt64LE(0);
  if (status !== 0 || loop === 0n) throw new Error(`Node does not give its event loop (status ${status})`);
  return loop;
}
