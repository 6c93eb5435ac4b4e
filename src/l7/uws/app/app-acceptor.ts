import { us_listen_socket_close, type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';
import { formatAddress, type TcpAddress } from '../../../core/address.ts';
import type { Acceptor } from '../../../transport/acceptor.ts';

/** Lets an App accept its connections itself, on platforms without system calls. */
export class AppAcceptor implements Acceptor {
  readonly #app: TemplatedApp;
  readonly #address: TcpAddress;
  #socket: us_listen_socket | null = null;

  constructor(app: TemplatedApp, address: TcpAddress) {
    this.#app = app;
    this.#address = address;
  }

  listen(): void {
    const { host, port } = this.#address;
    this.#app.listen(host, port, (socket) => {
      if (socket === false) throw new Error(`listening on ${formatAddress(this.#address)} failed`);
      this.#socket = socket;
    });
  }

  get listens(): boolean {
    return this.#socket !== null;
  }

  handOver(): void {
    // Only system calls could tell the kernel to hand connections over.
  }

  stop(): void {
    if (this.#socket !== null) us_listen_socket_close(this.#socket);
    this.#socket = null;
  }
}
