/**
 * Size of uWS's cork buffer, and max bytes of every cork here. uWS flushes the buffer before a write that
 * overflows it. If the kernel then takes only a part, uWS 20.66 to 20.68 drops the overflowing bytes
 * (uWebSockets.js#1249, fixed in 20.77). A chunk's header then stands without its payload. Only `tryEnd` may
 * write more: its offset reveals that it has taken nothing.
 */
export const CORK_BYTES = 16 * 1024;
/** Max bytes of a chunk's header and of the last chunk. */
export const MAX_FRAMING_BYTES = 32;
/** Max body bytes in one cork. */
export const MAX_PIECE_BYTES = CORK_BYTES - MAX_FRAMING_BYTES;
/** Max bytes of a last chunk sent together with the end of the body, without a proof of delivery. */
export const MAX_UNPROVEN_END_BYTES = 8 * 1024;
