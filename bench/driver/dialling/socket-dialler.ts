import { Watched } from '../../../src/loop/poller.ts';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../../src/sys/epoll.ts';
import { EAGAIN, EINPROGRESS, EINTR, SystemCallError } from '../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../src/sys/memory/pinned-buffer.ts';
import { SocketAddress } from '../../../src/sys/sockets/socket-address.ts';
import type { Connection, ConnectionOwner, Dialler } from './connection.ts';
import { SocketLoop } from './socket-loop.ts';

const READ_BYTES = 256 * 1024;
const COPY_BYTES = 64 * 1024;

/** Dials without TLS by system calls. Nearly all of the driver's cost per message is then in the kernel. */
export class SocketDialler implements Dialler {
  readonly loop = new SocketLoop();
  /** Receive buffer of all connections. Valid during the owner's callback. */
  readonly input = new PinnedBuffer(READ_BYTES);
  readonly target: SocketAddress;
  /** Staging buffer for bytes outside the memory of {@link allocate}. */
  readonly #copy = new PinnedBuffer(COPY_BYTES);
  readonly #allocated = new Map<ArrayBufferLike, PinnedBuffer>();

  /**
   * @param address IP address of the target
   * @throws Error if system calls are not supported
   */
  constructor(address: string, port: number) {
    this.target = new SocketAddress({ kind: 'tcp', host: address, port });
  }

  open(owner: ConnectionOwner): Connection {
    return new SocketConnection(this, owner);
  }

  allocate(size: number): Buffer {
    const buffer = new PinnedBuffer(size);
    this.#allocated.set(buffer.bytes.buffer, buffer);
    return buffer.bytes;
  }

  soon(callback: () => void): void {
    this.loop.soon(callback);
  }

  close(): void {
    this.loop.close();
  }

  /**
   * Finds or creates pinned memory for bytes. Bytes that are not sent at once must pass through {@link kept}.
   */
  place(bytes: Uint8Array): Waiting {
    const allocated = this.#allocated.get(bytes.buffer);
    if (allocated !== undefined) {
      return { buffer: allocated, start: bytes.byteOffset, end: bytes.byteOffset + bytes.length };
    }
    const buffer = bytes.length <= COPY_BYTES ? this.#copy : new PinnedBuffer(bytes.length);
    buffer.bytes.set(bytes);
    return { buffer, start: 0, end: bytes.length };
  }

  /** Returns the same bytes in memory that no other connection overwrites. */
  kept({ buffer, start, end }: Waiting): Waiting {
    if (buffer !== this.#copy) return { buffer, start, end };
    const own = new PinnedBuffer(end - start);
    buffer.bytes.copy(own.bytes, 0, start, end);
    return { buffer: own, start: 0, end: end - start };
  }
}

/** Pending bytes of a connection. */
interface Waiting {
  readonly buffer: PinnedBuffer;
  start: number;
  readonly end: number;
}

class SocketConnection extends Watched implements Connection {
  readonly #dialler: SocketDialler;
  readonly #owner: ConnectionOwner;
  readonly #waiting: Waiting[] = [];
  #connecting = true;
  /** Whether FIN follows the pending bytes. */
  #ending = false;
  /** Whether sending has failed. Received bytes can still be read. */
  #broken = false;
  #gone = false;

  constructor(dialler: SocketDialler, owner: ConnectionOwner) {
    super();
    this.#dialler = dialler;
    this.#owner = owner;
    const { loop, target } = dialler;
    const fd = loop.sockets.open(target);
    const result = fd < 0 ? fd : loop.sockets.connect(fd, target);
    if (result === 0 || result === -EINPROGRESS) {
      // A connected socket is writable at once.
      loop.poller.watch(this, fd, EPOLLOUT);
      return;
    }
    if (fd >= 0) loop.sockets.close(fd);
    this.#closeAndTell(new SystemCallError(fd < 0 ? 'socket' : 'connect', -result, target.text));
  }

  write(bytes: Uint8Array): boolean {
    if (this.fd < 0 || this.#broken || bytes.length === 0) return true;
    const { fd } = this;
    const place = this.#dialler.place(bytes);
    if (this.#waiting.length === 0) {
      const sent = place.buffer.send(fd, place.start, place.end);
      if (sent > 0) place.start += sent;
      if (place.start === place.end) return true;
      if (this.#breaks(sent)) return true;
    }
    this.#waiting.push(this.#dialler.kept(place));
    this.#watch();
    return false;
  }

  end(): void {
    this.#ending = true;
    if (this.fd >= 0 && this.#waiting.length === 0) this.#dialler.loop.sockets.finish(this.fd);
  }

  destroy(): void {
    if (!this.#gone) this.#closeAndTell(null);
  }

  override ready(events: number): void {
    if (this.#connecting) {
      this.#connected(events);
      return;
    }
    if ((events & EPOLLOUT) !== 0) this.#flush();
    if (this.fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) !== 0) this.#receive();
  }

  override fault(error: unknown): void {
    setImmediate(() => {
      throw error;
    });
  }

  #connected(events: number): void {
    const errno = this.#dialler.loop.sockets.takeError(this.fd);
    if (errno !== 0) {
      this.#closeAndTell(new SystemCallError('connect', errno, this.#dialler.target.text));
    } else if ((events & EPOLLOUT) !== 0) {
      this.#connecting = false;
      this.#watch();
      this.#owner.connected();
    }
  }

  #receive(): void {
    const { input } = this.#dialler;
    const received = input.recv(this.fd, 0, input.bytes.length);
    if (received > 0) this.#owner.received(input.bytes, received);
    else if (received === 0) this.#closeAndTell(null);
    else if (received !== -EAGAIN && received !== -EINTR)
      this.#closeAndTell(new SystemCallError('recv', -received));
  }

  #flush(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const sent = first.buffer.send(this.fd, first.start, first.end);
      if (sent > 0) first.start += sent;
      if (this.#breaks(sent)) return;
      if (first.start < first.end) return;
      this.#waiting.shift();
    }
    if (this.#ending) this.#dialler.loop.sockets.finish(this.fd);
    this.#watch();
    this.#owner.drained();
  }

  /** Whether a send failed. The next read shows the reason. */
  #breaks(sent: number): boolean {
    if (sent >= 0 || sent === -EAGAIN || sent === -EINTR) return false;
    this.#broken = true;
    this.#waiting.length = 0;
    this.#watch();
    return true;
  }

  #watch(): void {
    this.#dialler.loop.poller.change(this, this.#waiting.length > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  /** Notifies the owner later, because the owner may be inside a call to this class. */
  #closeAndTell(error: Error | null): void {
    this.#gone = true;
    this.#dialler.loop.poller.close(this);
    this.#dialler.soon(() => this.#owner.closed(error));
  }
}
