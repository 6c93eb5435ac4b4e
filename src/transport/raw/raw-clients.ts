import type { TcpAddress } from '../../core/address.ts';
import { EPOLLIN } from '../../sys/epoll.ts';
import { limitUnsent } from '../../sys/sockets/listening-sockets.ts';
import type { AcceptorOwner } from '../acceptor.ts';
import {
  factsOf,
  type ClientAcceptor,
  type ClientChannel,
  type ClientOwner,
  type ClientTransport,
} from '../client-transport.ts';
import { endsOfDescriptor, type SocketEnds } from '../connection-ends.ts';
import { RawAcceptor } from './raw-acceptor.ts';
import { RawChannel } from './raw-channel.ts';
import type { RawHome } from './raw-home.ts';

/**
 * Max bytes that the kernel takes for a client before it can send them. By default it takes 4 MiB for a client that reads
 * nothing, and says that there is room only when a third of them are gone: a slow reader seems to stall for a minute.
 */
const MAX_UNSENT_BYTES = 256 * 1024;

/** Accepts clients by system calls. Linux only. */
export class RawClients implements ClientTransport {
  readonly #home: RawHome;

  constructor(home: RawHome) {
    this.#home = home;
  }

  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor {
    return new RawClientAcceptor(this.#home.loop, address, new Entrance(this.#home, owner));
  }
}

class RawClientAcceptor extends RawAcceptor implements ClientAcceptor {
  override listen(): void {
    super.listen();
    limitUnsent(this.fd, MAX_UNSENT_BYTES);
  }

  closeArrivals(): void {
    // All connections are served at once.
  }
}

/** Makes channels of accepted descriptors. */
class Entrance implements AcceptorOwner<number> {
  readonly #home: RawHome;
  readonly #owner: ClientOwner;

  constructor(home: RawHome, owner: ClientOwner) {
    this.#home = home;
    this.#owner = owner;
  }

  accepted(fd: number): void {
    const { sockets } = this.#home.loop;
    if (!this.#owner.clientArrived(fd)) {
      sockets.close(fd);
      this.#owner.clientClosed(null);
      return;
    }
    const channel = new RawClient(this.#home, this.#owner);
    const peer = sockets.acceptedFrom();
    channel.watch(fd);
    try {
      this.#owner.clientAccepted(channel, factsOf(peer));
    } catch (error) {
      channel.destroy();
      throw error;
    }
    channel.settle();
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.#owner.acceptFault(error);
  }
}

/** A client's connection by system calls. */
class RawClient extends RawChannel implements ClientChannel {
  liveIndex = -1;
  readonly #clientOwner: ClientOwner;

  constructor(home: RawHome, clientOwner: ClientOwner) {
    super(home, null);
    this.#clientOwner = clientOwner;
    this.pause();
  }

  /** Watches the descriptor as if the channel were resumed. {@link settle} follows before the thread waits for events. */
  watch(fd: number): void {
    this.home.loop.poller.watch(this, fd, EPOLLIN);
  }

  /** Watches for what the owner wants. Most owners have resumed the channel: then this calls nothing. */
  settle(): void {
    if (!this.destroyed) this.opened();
  }

  ends(): SocketEnds {
    return endsOfDescriptor(this.home.loop.sockets, this.fd);
  }

  override fault(error: unknown): void {
    this.#clientOwner.acceptFault(error);
    super.fault(error);
  }

  protected override staysHalfOpen(): boolean {
    return true;
  }

  protected override close(error: Error | null): void {
    if (this.destroyed) return;
    try {
      super.close(error);
    } finally {
      this.#clientOwner.clientClosed(this);
    }
  }
}
