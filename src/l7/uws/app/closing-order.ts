import { runImmediatesFirst } from '../../../sys/node/check-phase.ts';

/**
 * Lets immediates close sockets of uWebSockets.js without a leak. To be called when uWebSockets.js has set up its loop
 * in this thread.
 *
 * uSockets closes a socket in two steps: `us_poll_stop` calls `uv_close` at once, and a check handle of its own frees
 * the socket (`us_poll_free`). If that handle finds a poll handle that is closing, it leaves the memory to libuv's close
 * callback, which runs right after the check phase. So a socket that is closed in the check phase behind that handle
 * is lost: the close callback comes first and frees nothing, then `us_poll_free` finds the poll handle still marked as
 * closing and leaves the memory to a callback that has been (0.45 KB each, uSockets `src/eventing/libuv.c`, seen
 * in uWebSockets.js 20.66 and in uSockets' master of 2026).
 *
 * Only the check phase is affected. libuv runs poll, check, close callbacks and timers in this order, and whatever is
 * closed outside of the check phase passes uSockets' handle before its close callback. In the check phase Node runs
 * immediates and what they resolve, the turn of our own event loop among them: they must run before uSockets' handle.
 * Where the order cannot be changed (no koffi) the worker closes nothing from immediates: see `loop/poll-phase.ts`.
 *
 * This can go when uSockets frees a socket in its close callback, or layer 7 no longer runs on uWebSockets.js.
 */
export function freeWhatImmediatesClose(): void {
  runImmediatesFirst();
}
