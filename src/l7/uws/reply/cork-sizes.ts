/**
 * Size of uWS's cork buffer. If a write overflows the buffer, uWS first flushes it. If the kernel then takes only a
 * part, uWS 20.66 to 20.68 drops the bytes that overflowed (uWebSockets.js#1249, mended in 20.77), and a chunk's header
 * stands without its payload. So every cork here writes at most this much, except by `tryEnd`, whose offset tells that
 * it has taken nothing.
 */
export const CORK_BYTES = 16 * 1024;
/** Max bytes of a chunk's header and of the last chunk. */
export const MAX_FRAMING_BYTES = 32;
/** Max bytes of a body that one cork writes. */
export const MAX_PIECE_BYTES = CORK_BYTES - MAX_FRAMING_BYTES;
/** Max bytes of a last chunk that leaves together with the end of the body, without a proof that the kernel has it. */
export const MAX_UNPROVEN_END_BYTES = 8 * 1024;
