import { createServer, type Server } from 'node:net';
import type { L4Listener } from '../../config/types/listener.ts';
import { formatAddress } from '../../core/address.ts';
import { noteClosing, noteListening } from '../../sys/descriptors/descriptor-table.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import { BACKLOG, KEEP_ALIVE_IDLE_MS } from '../../sys/socket-constants.ts';
import { HandOver } from '../../sys/sockets/hand-over.ts';
import { unsupportedReason } from '../../sys/support.ts';
import { refusalOf } from '../rejection.ts';
import type { TunnelContext, TunnelListener } from '../tunnel.ts';
import { NetTunnel } from './net-tunnel.ts';

/** A listener of the `net` engine: tunnels on `node:net`, for every platform that Node runs on. */
export class NetListener implements TunnelListener {
  #context: TunnelContext;
  readonly #server: Server;
  #handOver: HandOver | null = null;
  /** Whether the listener has not been stopped since it was asked to listen. Node begins in a later tick. */
  #wanted = false;

  constructor(context: TunnelContext) {
    this.#context = context;
    // pauseOnConnect: nothing is read from a client before an endpoint has accepted.
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true };
    this.#server = createServer({ ...options, keepAliveInitialDelay: KEEP_ALIVE_IDLE_MS }, (client) => {
      const context = this.#context;
      const reason = refusalOf(context, descriptorOf(client));
      if (reason !== null) {
        context.stats.connections.rejected(reason);
        client.on('error', ignore);
        client.resetAndDestroy();
        return;
      }
      new NetTunnel(context, client).start();
    });
  }

  listen(): Promise<void> {
    const { address } = this.#context.config;
    this.#wanted = true;
    this.#server.off('error', this.#logAcceptError);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(
        { host: address.host, port: address.port, backlog: BACKLOG, reusePort: true },
        () => {
          this.#server.off('error', reject);
          resolve();
          if (!this.#wanted) {
            this.#server.close();
            return;
          }
          this.#server.on('error', this.#logAcceptError);
          noteListening(this.#descriptor);
        },
      );
    });
  }

  get listens(): boolean {
    return this.#server.listening;
  }

  stop(): void {
    this.#wanted = false;
    this.#handOver?.end();
    this.#handOver = null;
    noteClosing(this.#descriptor);
    if (this.#server.listening) this.#server.close();
  }

  fits({ address, engine }: L4Listener): boolean {
    return engine === 'net' && formatAddress(address) === formatAddress(this.#context.config.address);
  }

  use(context: TunnelContext): void {
    this.#context = context;
  }

  leave(from: number | null): void {
    if (this.#descriptor < 0 || unsupportedReason() !== null) return;
    this.#handOver = new HandOver(this.#descriptor, from);
  }

  /** Logs an error of accept, such as EMFILE. Waiting connections are accepted later. */
  readonly #logAcceptError = (error: Error): void => {
    this.#context.log.error({ err: error }, 'accepting failed');
  };

  /** The descriptor of the listening socket; -1 without one. */
  get #descriptor(): number {
    return descriptorOf(this.#server) ?? -1;
  }
}

function ignore(): void {
  // The connection is being reset: its errors do not matter.
}
