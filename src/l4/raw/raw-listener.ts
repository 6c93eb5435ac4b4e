import type { L4Listener } from '../../config/types/listener.ts';
import { formatAddress } from '../../core/address.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { Watched } from '../../loop/poller.ts';
import { EPOLLIN } from '../../sys/epoll.ts';
import { EAGAIN, EINTR, errorName } from '../../sys/errno.ts';
import { BACKLOG } from '../../sys/socket-constants.ts';
import { HandOver } from '../../sys/sockets/hand-over.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';
import { refusalOf } from '../rejection.ts';
import type { TunnelContext, TunnelListener } from '../tunnel.ts';
import type { RawLoop } from './raw-loop.ts';
import { RawTunnel } from './raw-tunnel.ts';

/** Max connections accepted in a row, before open ones get their turn. */
const MAX_ACCEPTS = 64;
/** Pause of accepting when descriptors or memory have run out. */
const PAUSE_MS = 200;

/** A listener of the `raw` engine: tunnels on system calls, in the thread's own epoll loop. Linux only. */
export class RawListener extends Watched implements TunnelListener {
  context: TunnelContext;
  readonly loop: RawLoop;
  readonly #pause = new Pause(() => this.#resume());
  #handOver: HandOver | null = null;
  /** Whether the last accept failed. A lasting failure is logged once. */
  #failing = false;

  constructor(context: TunnelContext, loop: RawLoop) {
    super();
    this.context = context;
    this.loop = loop;
  }

  listen(): Promise<void> {
    const { loop, context } = this;
    // An error that is thrown here rejects.
    return new Promise((resolve) => {
      const address = new SocketAddress(context.config.address);
      loop.poller.watch(this, loop.sockets.listen(address, BACKLOG), EPOLLIN);
      loop.start();
      resolve();
    });
  }

  get listens(): boolean {
    return this.fd >= 0;
  }

  stop(): void {
    const { poller, wheel } = this.loop;
    wheel.disarm(this.#pause);
    this.#handOver?.end();
    poller.close(this);
    // Closes the socket at once: as long as it is open, connects may reach it.
    if (this.#handOver !== null) poller.sweep();
    this.#handOver = null;
  }

  fits({ address, engine }: L4Listener): boolean {
    return engine === 'raw' && formatAddress(address) === formatAddress(this.context.config.address);
  }

  use(context: TunnelContext): void {
    this.context = context;
  }

  leave(from: number | null): void {
    if (this.fd >= 0) this.#handOver = new HandOver(this.fd, from);
  }

  override ready(): void {
    const { sockets } = this.loop;
    for (let accepted = 0; accepted < MAX_ACCEPTS; accepted++) {
      const fd = sockets.accept(this.fd);
      if (fd >= 0) {
        this.#failing = false;
        this.#serve(fd);
      } else if (fd === -EAGAIN || (fd !== -EINTR && !this.#goesOnAfter(-fd))) {
        return;
      }
    }
  }

  override fault(error: unknown): void {
    this.context.log.error({ err: error, listener: this.context.config.name }, 'serving a connection failed');
  }

  #serve(fd: number): void {
    const { context, loop } = this;
    const { access, cluster } = context;
    const needsAddress = access !== null || cluster.choosesBySource;
    const reason = refusalOf(context, fd);
    if (reason !== null) {
      context.stats.connections.rejected(reason);
      loop.sockets.resetOnClose(fd);
      loop.sockets.close(fd);
      return;
    }
    const tunnel = new RawTunnel(context, loop, fd, needsAddress ? loop.sockets.acceptedFrom() : '');
    try {
      tunnel.start();
    } catch (error) {
      tunnel.legFaulted(error);
    }
  }

  /** Counts a failure of accept. Returns false if accepting pauses. */
  #goesOnAfter(errno: number): boolean {
    const code = errorName(errno);
    const { context, loop } = this;
    const reason = context.stats.acceptFailed(code);
    // Only this one connection is lost.
    if (reason === 'aborted') return true;
    if (!this.#failing) {
      context.log.error({ listener: context.config.name, code, reason }, 'accepting failed');
    }
    this.#failing = true;
    loop.poller.change(this, 0);
    loop.wheel.arm(this.#pause, PAUSE_MS);
    return false;
  }

  #resume(): void {
    this.loop.poller.change(this, EPOLLIN);
  }
}

/** A listener's pause of accepting. */
class Pause extends Timed {
  readonly #over: () => void;

  constructor(over: () => void) {
    super();
    this.#over = over;
  }

  override expire(): void {
    this.#over();
  }
}
