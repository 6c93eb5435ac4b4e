/**
 * Max bytes that a client's pings may add to what waits for it while its endpoint is paused. uWS answers each ping at
 * once and can neither leave out nor coalesce pongs, so a client that pings and does not read must lose its session.
 * 6,000 pings of 8 bytes reach the limit.
 */
const MAX_PAUSED_PONG_BYTES = 64 * 1024;
/**
 * With more bytes than this before it in the queue, a pong to an endpoint waits outside of the queue, where a later one
 * takes its place: RFC 6455 section 5.5.3 lets a peer answer the latest ping only.
 */
const MAX_BYTES_BEFORE_PONG = 64 * 1024;

/**
 * Whether a client pings and does not read.
 *
 * @param waiting bytes that wait for the client now
 * @param waitingWhenPaused bytes that waited when its last message had been sent and its endpoint was paused
 */
export function isPingFlood(waiting: number, waitingWhenPaused: number): boolean {
  return waiting > waitingWhenPaused + MAX_PAUSED_PONG_BYTES;
}

/** Whether a pong to an endpoint joins the queue. @param waiting bytes in the queue */
export function queuesPong(waiting: number): boolean {
  return waiting <= MAX_BYTES_BEFORE_PONG;
}
