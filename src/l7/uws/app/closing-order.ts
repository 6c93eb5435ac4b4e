import { runImmediatesFirst } from '../../../sys/node/check-phase.ts';

/**
 * Lets immediates close uWebSockets.js sockets without a leak. Must be called when uWebSockets.js has set up
 * its loop in this thread.
 *
 * uSockets closes a socket in two steps. `us_poll_stop` calls `uv_close` at once. Later, uSockets' check
 * handle frees the socket (`us_poll_free`). If the poll handle is still closing then, `us_poll_free` leaves
 * the memory to libuv's close callback, which runs right after the check phase.
 *
 * A socket leaks if it is closed in the check phase after uSockets' check handle. The close callback comes
 * first and frees nothing. Then `us_poll_free` finds the poll handle still marked as closing, and leaves the
 * memory to a callback that has already run. Each leak costs 0.45 KB (uSockets `src/eventing/libuv.c`, in
 * uWebSockets 20.66 to 20.68 and in uSockets' master of 2026). Bun's copy has the same fault (oven-sh/bun
 * pull request 37105).
 *
 * Only the check phase is affected. libuv runs poll, check, close callbacks and timers in this order. A
 * socket that is closed in another phase therefore reaches uSockets' handle before its close callback.
 *
 * In the check phase Node runs immediates and the promises that they resolve, including turns of sluice's own
 * event loop. So immediates must run before uSockets' handle. If the order cannot be changed (no koffi), the
 * worker closes nothing from immediates: see `loop/poll-phase.ts`.
 *
 * No upstream issue known. Needed until uSockets frees a socket in its close callback.
 */
export function runImmediatesBeforeUws(): void {
  runImmediatesFirst();
}
