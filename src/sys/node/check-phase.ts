import { nativeCalls, type NativeCalls } from '../native-calls.ts';
import { nodeLoopAddress } from './node-loop.ts';

/** `UV_CHECK` of libuv's `uv_handle_type`. */
const UV_CHECK = 2;
/**
 * `sizeof(uv_check_t)`, and the offset of its `check_cb` on 64-bit systems. Both are part of libuv's ABI,
 * which is stable in all versions 1.x. The size is compared with the size that libuv reports.
 */
const CHECK_HANDLE_BYTES = 120;
const CALLBACK_OFFSET = 96;

/**
 * Moves Node's immediates to the front of the check phase of this thread's event loop, before the check
 * handles of libraries. libuv runs check handles in reverse order of their start, so this restarts Node's
 * handle.
 *
 * Node creates the handle of its immediates with its environment, before other code can create a check
 * handle. `uv_walk` lists handles in order of creation, so it is the first. Call this again after another
 * library starts a check handle.
 *
 * @returns whether the order is known to be right: false without koffi, or with an unknown libuv
 */
export function runImmediatesFirst(): boolean {
  let calls: NativeCalls;
  try {
    calls = nativeCalls();
  } catch {
    return false;
  }
  if (calls.handleSize(UV_CHECK) !== CHECK_HANDLE_BYTES) return false;
  const immediates = checkHandlesOf(calls)[0];
  if (immediates === undefined || calls.isActive(immediates) === 0) return false;
  const callback = calls.readPointer(immediates + CALLBACK_OFFSET);
  return callback !== 0 && calls.checkStop(immediates) === 0 && calls.checkStart(immediates, callback) === 0;
}

/** Returns the check handles of this thread's loop, in order of creation. */
function checkHandlesOf(calls: NativeCalls): number[] {
  const handles: number[] = [];
  calls.walk(nodeLoopAddress(), (handle) => {
    if (calls.handleType(handle) === UV_CHECK) handles.push(handle);
  });
  return handles;
}
