import { limitReceiveBuffers, limitUnsent } from '../../../sys/sockets/listening-sockets.ts';

/**
 * Requested size of a client socket's receive buffer. The kernel doubles it, and takes a packet or two more.
 * The buffer must stay below the 512 KiB that uWS reads at once (20.66 to 20.68), for two reasons:
 * - If a read fills all 512 KiB, uWS reads again, even if the connection is paused. A fast client then fills
 *   the memory.
 * - uWS decrypts a TLS read into a buffer of 512 KiB. If that fills up while bytes wait for the client, uWS
 *   loses the rest of the input, and the connection breaks.
 *
 * Needed until uWS stops reading when a connection is paused (uWebSockets.js#661, uSockets#27).
 */
const RECEIVE_BUFFER_BYTES = 192 * 1024;
/**
 * Max unsent bytes that the kernel buffers for a client. Its default is 4 MiB for a client that reads
 * nothing, and a close frame would wait behind them.
 */
const MAX_UNSENT_BYTES = 256 * 1024;

/**
 * Limits the kernel's buffers of connections that a listening socket will accept.
 *
 * @returns whether the system limits the receive buffers
 */
export function limitClientBuffers(listening: number): boolean {
  limitUnsent(listening, MAX_UNSENT_BYTES);
  return limitReceiveBuffers(listening, RECEIVE_BUFFER_BYTES);
}
