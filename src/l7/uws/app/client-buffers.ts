import { limitReceiveBuffers, limitUnsent } from '../../../sys/sockets/listening-sockets.ts';

/**
 * Bytes asked for as the receive buffer of a client's socket; the kernel takes twice the number, and a packet or two more.
 * The buffer must stay below the 512 KiB that uWS reads at once (20.66 to 20.68):
 * - While a read brings as much, uWS reads on, whether the connection is paused or not, and a fast client fills the memory.
 * - uWS decrypts a TLS read into a buffer of 512 KiB. If the buffer fills up while something waits for the client, uWS forgets
 *   the rest of the input, and the connection breaks.
 * This can go when uWS stops reading once a connection is paused (uWebSockets.js#661, uSockets#27).
 */
const RECEIVE_BUFFER_BYTES = 192 * 1024;
/**
 * Max bytes that the kernel takes for a client before it can send them. By default it takes 4 MiB for a client that reads
 * nothing, and a close frame waits behind them.
 */
const MAX_UNSENT_BYTES = 256 * 1024;

/**
 * Limits the kernel's buffers of every connection that a listening socket accepts from now on.
 *
 * @returns whether the system limits what it receives
 */
export function limitClientBuffers(listening: number): boolean {
  limitUnsent(listening, MAX_UNSENT_BYTES);
  return limitReceiveBuffers(listening, RECEIVE_BUFFER_BYTES);
}
