import type { TcpAddress } from '../../core/address.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { EPOLLIN } from '../../sys/epoll.ts';
import { EAGAIN, EINTR, EINVAL, errorName } from '../../sys/errno.ts';
import { BACKLOG } from '../../sys/socket-constants.ts';
import { HandOver } from '../../sys/sockets/hand-over.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';
import type { Acceptor, AcceptorOwner } from '../acceptor.ts';

/** Max accepts in a row, so that open connections get their turn. */
const MAX_ACCEPTS = 64;
/** Pause of accepting when descriptors or memory have run out. */
const PAUSE_MS = 200;

/** Accepts connections by system calls, in the thread's own epoll loop. Linux only. */
export class RawAcceptor extends Watched implements Acceptor {
  readonly #loop: EventLoop;
  readonly #address: TcpAddress;
  readonly #owner: AcceptorOwner<number>;
  readonly #pause = new Pause(() => this.#resume());
  #handOver: HandOver | null = null;
  /** Whether the last accept failed. */
  #failing = false;

  constructor(loop: EventLoop, address: TcpAddress, owner: AcceptorOwner<number>) {
    super();
    this.#loop = loop;
    this.#address = address;
    this.#owner = owner;
  }

  listen(): void {
    const { poller, sockets } = this.#loop;
    poller.watch(this, sockets.listen(new SocketAddress(this.#address), BACKLOG), EPOLLIN);
    this.#loop.start();
  }

  get listens(): boolean {
    return this.fd >= 0;
  }

  handOver(from: number | null): void {
    if (this.fd >= 0) this.#handOver = new HandOver(this.fd, from);
  }

  stop(): void {
    const { poller, wheel } = this.#loop;
    wheel.disarm(this.#pause);
    this.#handOver?.end();
    poller.close(this);
    // Closes the socket at once: while it is open, new connections may still reach it.
    if (this.#handOver !== null) poller.sweep();
    this.#handOver = null;
  }

  /** Returns the IP address of the last accepted client. Empty without one. */
  acceptedFrom(): string {
    return this.#loop.sockets.acceptedFrom();
  }

  override ready(): void {
    const { sockets } = this.#loop;
    for (let accepted = 0; accepted < MAX_ACCEPTS && this.fd >= 0; accepted++) {
      const fd = sockets.accept(this.fd);
      if (fd >= 0) {
        this.#failing = false;
        this.#hand(fd);
      } else if (fd === -EINVAL) {
        // Another thread stopped the socket from listening (`stopListening`). Epoll would report it as broken
        // forever.
        this.stop();
      } else if (fd === -EAGAIN || (fd !== -EINTR && !this.#continuesAfter(-fd))) {
        return;
      }
    }
  }

  override fault(error: unknown): void {
    this.#owner.acceptFault(error);
  }

  /** Passes a connection to the owner. An owner that throws does not stop further accepts. */
  #hand(fd: number): void {
    try {
      this.#owner.accepted(fd);
    } catch (error) {
      this.#owner.acceptFault(error);
    }
  }

  /** Handles a failed accept. Returns false if accepting pauses. */
  #continuesAfter(errno: number): boolean {
    const isFirst = !this.#failing;
    this.#failing = true;
    if (this.#owner.acceptFailed(errorName(errno), isFirst)) {
      // Only this connection is lost.
      this.#failing = !isFirst;
      return true;
    }
    this.#loop.poller.change(this, 0);
    this.#loop.wheel.arm(this.#pause, PAUSE_MS);
    return false;
  }

  #resume(): void {
    this.#loop.poller.change(this, EPOLLIN);
  }
}

/** Timer of a pause in accepting. */
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
