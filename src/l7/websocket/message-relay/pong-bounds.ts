/**
 * Max bytes of pongs that may join the bytes that wait for a client while its endpoint is paused. The engine answers each
 * ping at once and cannot coalesce pongs, so a client that pings and does not read must lose its session. 6,000 pings of
 * 8 bytes reach the limit.
 */
const MAX_PAUSED_PONG_BYTES = 64 * 1024;
/**
 * Max bytes in the queue to an endpoint before a pong. Behind more, a pong waits outside of the queue, and a later one
 * replaces it: RFC 6455 section 5.5.3 lets a peer answer the latest ping only.
 */
const MAX_QUEUED_BEFORE_PONG_BYTES = 64 * 1024;

/**
 * Whether a client pings and does not read.
 *
 * @param waiting bytes that wait for the client now
 * @param waitingWhenPaused bytes that waited when its last message had been sent and its endpoint was paused
 */
export function isPingFlood(waiting: number, waitingWhenPaused: number): boolean {
  return waiting > waitingWhenPaused + MAX_PAUSED_PONG_BYTES;
}

/** Whether a pong to an endpoint joins the queue at once. @param waiting bytes in the queue */
export function queuesPong(waiting: number): boolean {
  return waiting <= MAX_QUEUED_BEFORE_PONG_BYTES;
}
