/**
 * Max bytes of pongs added to a client's buffer while its endpoint is paused. The engine answers each ping at
 * once and cannot coalesce pongs. So a client that pings without reading must lose its session. 6,000 pings
 * of 8 bytes reach the limit.
 */
const MAX_PAUSED_PONG_BYTES = 64 * 1024;
/**
 * Max bytes queued for an endpoint before a pong. If more are queued, a pong waits outside the queue, and a
 * later one replaces it. RFC 6455 section 5.5.3 lets a peer answer only the latest ping.
 */
const MAX_QUEUED_BEFORE_PONG_BYTES = 64 * 1024;

/**
 * Whether a client pings without reading.
 *
 * @param waiting bytes buffered for the client now
 * @param waitingWhenPaused bytes that were buffered after its last message, when its endpoint was paused
 */
export function isPingFlood(waiting: number, waitingWhenPaused: number): boolean {
  return waiting > waitingWhenPaused + MAX_PAUSED_PONG_BYTES;
}

/** Whether a pong to an endpoint joins the queue at once. @param waiting bytes in the queue */
export function queuesPong(waiting: number): boolean {
  return waiting <= MAX_QUEUED_BEFORE_PONG_BYTES;
}
