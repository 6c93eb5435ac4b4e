import { createServer, type Server, type Socket } from 'node:net';
import type { TcpAddress } from '../../core/address.ts';
import { noteClosing, noteListening } from '../../sys/descriptors/descriptor-table.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import { BACKLOG, KEEP_ALIVE_IDLE_MS } from '../../sys/socket-constants.ts';
import { HandOver } from '../../sys/sockets/hand-over.ts';
import { unsupportedReason } from '../../sys/support.ts';
import type { Acceptor, AcceptorOwner } from '../acceptor.ts';

/** Platforms where libuv lacks SO_REUSEPORT (uv_tcp_bind): only one worker can listen on an address there. */
const WITHOUT_REUSE_PORT: readonly string[] = ['darwin', 'win32', 'openbsd', 'netbsd'];
const reusePort = !WITHOUT_REUSE_PORT.includes(process.platform);

/**
 * Accepts connections as Node sockets, on every platform. The sockets are paused, and stay open after the
 * client's FIN. Without free descriptors, libuv closes connections or leaves them waiting. It does not report
 * failed accepts to Node, so the server emits no event (seen in 1.51 on Linux, `uv__server_io`).
 */
export class NetAcceptor implements Acceptor {
  readonly #address: TcpAddress;
  readonly #owner: AcceptorOwner<Socket>;
  readonly #server: Server;
  #handOver: HandOver | null = null;
  /** True from `listen` until `stop`. Node starts listening in a later tick. */
  #wanted = false;
  /** Whether the last accept failed. */
  #failing = false;

  constructor(address: TcpAddress, owner: AcceptorOwner<Socket>) {
    this.#address = address;
    this.#owner = owner;
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true };
    this.#server = createServer({ ...options, keepAliveInitialDelay: KEEP_ALIVE_IDLE_MS }, (socket) => {
      this.#failing = false;
      this.#hand(socket);
    });
  }

  listen(): Promise<void> {
    const { host, port } = this.#address;
    this.#wanted = true;
    this.#server.off('error', this.#onAcceptError);
    return new Promise((resolve, reject) => {
      const onListening = (): void => {
        this.#server.off('error', onError);
        this.#listening();
        resolve();
      };
      // After a failed `listen`, Node keeps the callback and would call it when a later `listen` succeeds.
      const onError = (error: Error): void => {
        this.#server.off('listening', onListening);
        reject(error);
      };
      this.#server.once('listening', onListening).once('error', onError);
      this.#server.listen({ host, port, backlog: BACKLOG, reusePort });
    });
  }

  get listens(): boolean {
    return this.#server.listening;
  }

  handOver(from: number | null): void {
    if (this.#descriptor < 0 || unsupportedReason() !== null) return;
    this.#handOver = new HandOver(this.#descriptor, from);
  }

  stop(): void {
    this.#wanted = false;
    this.#handOver?.end();
    this.#handOver = null;
    noteClosing(this.#descriptor);
    if (this.#server.listening) this.#server.close();
  }

  #listening(): void {
    if (!this.#wanted) {
      this.#server.close();
      return;
    }
    this.#server.on('error', this.#onAcceptError);
    noteListening(this.#descriptor);
  }

  /** Passes a socket to the owner. An owner that throws does not stop further accepts. */
  #hand(socket: Socket): void {
    try {
      this.#owner.accepted(socket);
    } catch (error) {
      this.#owner.acceptFault(error);
    }
  }

  /** Reports an error of accept. Node continues to accept after any error. */
  readonly #onAcceptError = (error: NodeJS.ErrnoException): void => {
    const isFirst = !this.#failing;
    this.#failing = true;
    if (this.#owner.acceptFailed(error.code ?? error.message, isFirst)) this.#failing = !isFirst;
  };

  /** Descriptor of the listening socket. -1 without one. */
  get #descriptor(): number {
    return descriptorOf(this.#server) ?? -1;
  }
}
