import type { Socket } from 'node:net';
import type { L4Listener } from '../../config/types/listener.ts';
import { formatAddress } from '../../core/address.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import { NetAcceptor } from '../../transport/net/net-acceptor.ts';
import { logAcceptFault, refusalOf } from '../rejection.ts';
import type { TunnelContext, TunnelListener } from '../tunnel.ts';
import { NetTunnel } from './net-tunnel.ts';

/** A listener of the `net` engine: tunnels on `node:net`, for every platform that Node runs on. */
export class NetListener implements TunnelListener, AcceptorOwner<Socket> {
  #context: TunnelContext;
  readonly #acceptor: NetAcceptor;

  constructor(context: TunnelContext) {
    this.#context = context;
    this.#acceptor = new NetAcceptor(context.config.address, this);
  }

  listen(): Promise<void> {
    return this.#acceptor.listen();
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  stop(): void {
    this.#acceptor.stop();
  }

  fits({ address, engine }: L4Listener): boolean {
    return engine === 'net' && formatAddress(address) === formatAddress(this.#context.config.address);
  }

  use(context: TunnelContext): void {
    this.#context = context;
  }

  leave(from: number | null): void {
    this.#acceptor.leave(from);
  }

  accepted(client: Socket): void {
    const context = this.#context;
    const reason = refusalOf(context, descriptorOf(client));
    if (reason !== null) {
      context.stats.connections.rejected(reason);
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    new NetTunnel(context, client).start();
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    const { stats, log } = this.#context;
    return stats.connections.acceptFailed(log, code, isFirst);
  }

  acceptFault(error: unknown): void {
    logAcceptFault(this.#context, error);
  }
}

function ignore(): void {
  // The connection is being reset: its errors do not matter.
}
