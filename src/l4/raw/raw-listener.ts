import type { L4Listener } from '../../config/types/listener.ts';
import { formatAddress } from '../../core/address.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import { RawAcceptor } from '../../transport/raw/raw-acceptor.ts';
import { logAcceptFault, refusalOf } from '../rejection.ts';
import type { TunnelContext, TunnelListener } from '../tunnel.ts';
import { RawTunnel, type RawLoop } from './raw-tunnel.ts';

/** A listener of the `raw` engine: tunnels on system calls, in the thread's own epoll loop. Linux only. */
export class RawListener implements TunnelListener, AcceptorOwner<number> {
  context: TunnelContext;
  readonly loop: RawLoop;
  readonly #acceptor: RawAcceptor;

  constructor(context: TunnelContext, loop: RawLoop) {
    this.context = context;
    this.loop = loop;
    this.#acceptor = new RawAcceptor(loop, context.config.address, this);
  }

  listen(): Promise<void> {
    // An error that is thrown here rejects.
    return new Promise((resolve) => {
      this.#acceptor.listen();
      resolve();
    });
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  stop(): void {
    this.#acceptor.stop();
  }

  fits({ address, engine }: L4Listener): boolean {
    return engine === 'raw' && formatAddress(address) === formatAddress(this.context.config.address);
  }

  use(context: TunnelContext): void {
    this.context = context;
  }

  leave(from: number | null): void {
    this.#acceptor.leave(from);
  }

  accepted(fd: number): void {
    const { context, loop } = this;
    const { access, cluster } = context;
    const needsAddress = access !== null || cluster.choosesBySource || cluster.config.proxyProtocol !== 'off';
    const reason = refusalOf(context, fd);
    if (reason !== null) {
      context.stats.connections.rejected(reason);
      loop.sockets.resetOnClose(fd);
      loop.sockets.close(fd);
      return;
    }
    const tunnel = new RawTunnel(context, loop, fd, needsAddress ? this.#acceptor.acceptedFrom() : '');
    try {
      tunnel.start();
    } catch (error) {
      tunnel.legFaulted(error);
    }
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    const { stats, log } = this.context;
    return stats.connections.acceptFailed(log, code, isFirst);
  }

  acceptFault(error: unknown): void {
    logAcceptFault(this.context, error);
  }
}
