/**
 * Interval at which uWS's timeout of HTTP connections is restarted. The timeout is 10 s and cannot be set (20.66 to 20.68),
 * but a proxy has clients on slow lines.
 *
 * A client that sends a body is cut off if it sends less than 160 KiB in 10 s, or nothing at first (uWebSockets#838). To pause
 * and resume the connection restarts the clock. The reader decides how slow and how silent the client may be
 * (`http/body-pace.ts`).
 *
 * A client that reads a response is cut off if its socket has not become writable for 10 s after a write that fell short
 * (uWebSockets#1242). The kernel calls a socket writable only when a third of its buffer is free. With megabytes buffered that
 * cuts off clients that are slow but alive. Another write restarts the clock, and sends what has become free.
 * `MAX_STALL_MS` (`l7/contract/http-reply.ts`) bounds how long the client may take nothing.
 *
 * This can go when uWS has a timeout that can be set.
 */
export const RESTART_MS = 4_000;
