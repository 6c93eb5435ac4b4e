import { runImmediatesFirst } from '../../../sys/node/check-phase.ts';

/**
 * Lets immediates close sockets of uWebSockets.js without a leak. To be called when uWebSockets.js has set up its loop in this
 * thread.
 *
 * uSockets closes a socket in two steps: `us_poll_stop` calls `uv_close` at once, and a check handle of uSockets frees the
 * socket (`us_poll_free`). If the poll handle is closing by then, `us_poll_free` leaves the memory to libuv's close callback,
 * which runs right after the check phase. So a socket is lost that is closed in the check phase, behind uSockets' check
 * handle: the close callback comes first and frees nothing, then `us_poll_free` finds the poll handle still marked as closing,
 * and leaves the memory to a callback that has already run. That costs 0.45 KB each (uSockets `src/eventing/libuv.c`, in
 * uWebSockets 20.66 to 20.68 and in uSockets' master of 2026; Bun's copy has the same fault, oven-sh/bun pull request 37105).
 *
 * Only the check phase is affected. libuv runs poll, check, close callbacks and timers in this order, so a socket that
 * is closed in another phase meets uSockets' handle before its close callback. In the check phase Node runs immediates
 * and what they resolve, the turn of our own event loop among them, so they must run before uSockets' handle. If the
 * order cannot be changed (no koffi), the worker closes nothing from immediates: see `loop/poll-phase.ts`.
 *
 * No upstream issue known. This can go when uSockets frees a socket in its close callback.
 */
export function freeWhatImmediatesClose(): void {
  runImmediatesFirst();
}
