import { us_listen_socket_close, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import type { L7Listener } from '../../../config/types/listener.ts';
import { formatAddress } from '../../../core/address.ts';
import type { ThreadLock } from '../../../core/thread-lock.ts';
import { noteClosing, noteListening } from '../../../sys/descriptors/descriptor-table.ts';
import { markListening } from '../../../sys/sockets/accepted-sockets.ts';
import { HandOver } from '../../../sys/sockets/hand-over.ts';
import {
  findListening,
  lengthenQueue,
  limitReceiveBuffers,
  limitUnsent,
} from '../../../sys/sockets/listening-sockets.ts';
import type { Logger } from '../../../telemetry/logger.ts';

/**
 * Bytes asked for as the receive buffer of a client's socket; the kernel takes twice the number, and a packet or two more.
 * The buffer must stay below the 512 KiB that uWS reads at once (20.66 to 20.68):
 * - While a read brings as much, uWS reads on, whether the connection is paused or not, and a fast client fills the memory.
 * - uWS decrypts a TLS read into a buffer of 512 KiB. If the buffer fills up while something waits for the client, uWS forgets
 *   the rest of the input, and the connection breaks.
 * This can go when uWS stops reading once a connection is paused (uWebSockets.js#661, uSockets#27).
 */
export const RECEIVE_BUFFER_BYTES = 192 * 1024;
/**
 * Max bytes that the kernel takes for a client before it can send them. By default it takes 4 MiB for a client that reads
 * nothing, and a close frame waits behind them.
 */
const MAX_UNSENT_BYTES = 256 * 1024;

/** The listening socket of one App, and its options that uWS cannot set. */
export class ListeningSocket {
  readonly #app: TemplatedApp;
  readonly #config: L7Listener;
  readonly #log: Logger;
  #socket: us_listen_socket | null = null;
  /** -1 if the descriptor is not known. */
  #descriptor = -1;
  #handOver: HandOver | null = null;

  /** @param config of which the address and whether there is TLS count */
  constructor(app: TemplatedApp, config: L7Listener, log: Logger) {
    this.#app = app;
    this.#config = config;
    this.#log = log;
  }

  /**
   * Binds the address and listens. Throws if the address cannot be bound.
   *
   * @param lock keeps other threads from opening sockets: uWS does not tell the descriptor (20.66 to 20.68; no upstream
   *   issue known), so it is found by comparing the process's listening sockets before and after. This can go when uWS tells it
   */
  open(lock: ThreadLock): void {
    const { address, name } = this.#config;
    lock.hold(() => {
      const before = findListening(address.port);
      this.#app.listen(address.host, address.port, (socket) => {
        if (socket === false) throw new Error(`listener ${name} cannot listen on ${formatAddress(address)}`);
        this.#socket = socket;
      });
      const [own = -1] = findListening(address.port).filter((fd) => !before.includes(fd));
      this.#descriptor = own;
      noteListening(own);
    });
    this.#setOptions(this.#descriptor);
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Hands new connections over to other sockets on the address: see {@link HandOver}. */
  leave(from: number | null): void {
    if (this.#descriptor >= 0) this.#handOver = new HandOver(this.#descriptor, from);
  }

  close(): void {
    this.#handOver?.end();
    this.#handOver = null;
    noteClosing(this.#descriptor);
    if (this.#socket !== null) us_listen_socket_close(this.#socket);
    this.#socket = null;
    this.#descriptor = -1;
  }

  #setOptions(descriptor: number): void {
    const { name, tls } = this.#config;
    if (descriptor >= 0 && limitReceiveBuffers(descriptor, RECEIVE_BUFFER_BYTES)) {
      if (!markListening(descriptor, RECEIVE_BUFFER_BYTES)) {
        const reason = 'net.core.rmem_max cuts the receive buffer';
        this.#log.warn({ listener: name, reason }, 'unfinished messages not counted in the buffer budget');
      }
      limitUnsent(descriptor, MAX_UNSENT_BYTES);
      // uWS (20.66 to 20.68; no upstream issue known) always asks for 512, too few for clients that reconnect all at once.
      // This can go when the number can be set.
      lengthenQueue(descriptor);
      return;
    }
    if (tls === null) this.#log.info({ listener: name }, 'a client that uploads fast may fill memory');
    else this.#log.warn({ listener: name }, 'a client that sends fast may lose its connection');
  }
}
