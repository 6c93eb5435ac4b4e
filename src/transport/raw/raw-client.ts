import { EPOLLIN } from '../../sys/epoll.ts';
import type { Watched } from '../../loop/poller.ts';
import type { ClientChannel, ClientOwner } from '../client-transport.ts';
import { endsOfDescriptor, type SocketEnds } from '../connection-ends.ts';
import { RawChannel } from './raw-channel.ts';
import type { RawContext } from './raw-context.ts';

/** A client's connection on system calls. It starts paused. */
export class RawClient extends RawChannel implements ClientChannel {
  liveIndex = -1;
  readonly #clientOwner: ClientOwner;

  constructor(context: RawContext, clientOwner: ClientOwner) {
    super(context, null);
    this.#clientOwner = clientOwner;
    this.pause();
  }

  /**
   * Watches the descriptor as if the channel were resumed. {@link settle} must follow before the thread waits
   * for events.
   */
  watch(fd: number): void {
    this.context.loop.poller.watch(this, fd, EPOLLIN);
  }

  /** Takes over a watched descriptor, then does the same as {@link watch}. */
  adopt(connection: Watched): void {
    const { poller } = this.context.loop;
    poller.adopt(connection, this);
    poller.change(this, EPOLLIN);
  }

  /**
   * Sets the interest to what the owner wants. Most owners have resumed the channel: this then needs no
   * system call.
   */
  settle(): void {
    if (!this.destroyed) this.opened();
  }

  ends(): SocketEnds {
    return endsOfDescriptor(this.context.loop.sockets, this.fd);
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
