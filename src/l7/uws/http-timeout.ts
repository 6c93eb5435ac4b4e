/**
 * Interval at which uWS's timeout of HTTP connections is restarted. The timeout is fixed at 10 s (20.66 to
 * 20.68), but a proxy has clients on slow lines.
 *
 * Uploads: uWS drops a client that sends less than 160 KiB in 10 s, or nothing at first (uWebSockets#838).
 * Pausing and resuming the connection restarts the timeout. The reader decides how slow and how silent the
 * client may be (`http/body-pace.ts`).
 *
 * Downloads: after a partial write, uWS drops a client whose socket has not become writable for 10 s
 * (uWebSockets#1242). The kernel reports a socket as writable only when a third of its buffer is free. With
 * megabytes buffered, uWS drops clients that are slow but alive. Another write restarts the timeout, and
 * fills the free part of the buffer. `MAX_STALL_MS` (`l7/contract/http-reply.ts`) limits how long a client
 * may take no bytes.
 *
 * Needed until uWS has a configurable timeout.
 */
export const RESTART_MS = 4_000;
