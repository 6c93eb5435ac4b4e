import type { EventLoop } from '../../loop/event-loop.ts';
import { Watched } from '../../loop/poller.ts';
import { BREAKS_ONLY, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import { EAGAIN, EINTR, SystemCallError } from '../../sys/errno.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { AddressDial, type DialOwner } from '../../upstream/dialling/address-dial.ts';
import { EndpointAddresses } from '../../upstream/dialling/endpoint-addresses.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { Inbox } from './inbox.ts';
import { netDialler } from './net-upstream.ts';
import { SendQueue } from './send-queue.ts';

const SCRATCH_SIZE = 64 * 1024;

/** Dials endpoints by system calls. Clusters with TLS use Node's sockets. */
export class RawDialler implements UpstreamDialler {
  readonly loop: EventLoop;
  readonly addresses = new EndpointAddresses();
  readonly inbox: Inbox;
  /** Scratch memory for the bytes of one write. */
  readonly scratch = new PinnedBuffer(SCRATCH_SIZE);

  constructor(loop: EventLoop) {
    this.loop = loop;
    this.inbox = new Inbox(loop);
  }

  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner): UpstreamSocket {
    if (cluster.tls !== null) return netDialler.open(cluster, endpoint, owner);
    const upstream = new RawUpstream(this, owner);
    upstream.connect(endpoint);
    return upstream;
  }

  downstreamTouched(): void {
    this.loop.yieldToNode();
  }
}

/** A connection on a socket of the proxy's own, without Node. */
class RawUpstream extends Watched implements UpstreamSocket, DialOwner {
  owner: UpstreamOwner | null;
  destroyed = false;
  writableEnded = false;
  readonly #home: RawDialler;
  /** Null once the connection is established. */
  #dial: AddressDial | null = null;
  #queue: SendQueue | null = null;
  #paused = false;
  /** FIN has come. */
  #ended = false;
  /** The kernel takes no more bytes. What can still be received comes before the connection counts as lost. */
  #broken = false;

  constructor(home: RawDialler, owner: UpstreamOwner) {
    super();
    this.#home = home;
    this.owner = owner;
  }

  get writableLength(): number {
    return this.#queue?.length ?? 0;
  }

  /** Begins to dial. */
  connect(endpoint: Endpoint): void {
    const { loop, addresses } = this.#home;
    const dial = new AddressDial(loop, (address) => addresses.of(address), endpoint, this);
    this.#dial = dial;
    // Later: the owner does not know this connection yet.
    if (!dial.start()) loop.defer(() => this.#close(dial.error));
  }

  dialConnected(connection: Watched): void {
    this.#home.loop.poller.adopt(connection, this);
    this.#dial = null;
    this.#watch();
    this.owner?.upstreamConnected();
  }

  dialFailed(error: Error): void {
    this.#close(error);
  }

  dialFault(error: unknown): void {
    this.fault(error);
  }

  override ready(events: number): void {
    if (this.#queue !== null && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) !== 0) this.#flush(this.#queue);
    if (this.destroyed || (this.interest & EPOLLIN) === 0) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) !== 0) this.#receive();
  }

  override fault(error: unknown): void {
    this.#close(error instanceof Error ? error : new Error(String(error)));
  }

  /** Takes the bytes that the inbox has read from this connection. */
  received(input: Buffer, start: number, end: number): void {
    if (!this.destroyed) this.owner?.upstreamData(input, start, end);
  }

  /** Copies the bytes that it keeps. */
  write(bytes: Uint8Array): boolean {
    if (this.destroyed || this.writableEnded || this.#broken) return true;
    if (this.#queue !== null) {
      this.#queue.push(bytes);
      return false;
    }
    let sent = 0;
    if (this.#dial === null && bytes.length <= SCRATCH_SIZE) {
      const { scratch } = this.#home;
      scratch.bytes.set(bytes);
      sent = Math.max(0, scratch.send(this.fd, 0, bytes.length));
      if (sent === bytes.length) return true;
    }
    // Also after an error: the same error comes again when the queue is sent.
    this.#queue = new SendQueue();
    this.#queue.push(bytes.subarray(sent));
    if (this.#dial === null) this.#watch();
    return false;
  }

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(bytes);
  }

  pause(): void {
    this.#paused = true;
    this.#watch();
  }

  resume(): void {
    this.#paused = false;
    this.#watch();
  }

  end(): void {
    if (this.destroyed || this.writableEnded) return;
    this.writableEnded = true;
    if (this.#queue === null) this.#finish();
  }

  destroy(): void {
    this.#close(null);
  }

  #receive(): void {
    const received = this.#home.inbox.receive(this);
    if (received > 0 || received === -EAGAIN || received === -EINTR) return;
    if (received < 0) {
      this.#close(new SystemCallError('recv', -received));
      return;
    }
    this.#ended = true;
    this.#watch();
    this.owner?.upstreamEnded();
    if (this.destroyed) return;
    if (this.#queue === null || this.#broken) this.#close(null);
    else this.writableEnded = true;
  }

  #flush(queue: SendQueue): void {
    const result = queue.send(this.fd);
    if (result < 0 && result !== -EAGAIN && result !== -EINTR) this.#broken = true;
    if (queue.length > 0 && !this.#broken) return;
    this.#queue = null;
    if (this.#ended) {
      this.#close(null);
      return;
    }
    this.#watch();
    if (this.writableEnded) this.#finish();
    else if (!this.#broken) this.owner?.upstreamDrained?.();
  }

  #finish(): void {
    if (this.#dial === null && !this.#broken) this.#home.loop.sockets.finish(this.fd);
  }

  #watch(): void {
    if (this.fd < 0 || this.#dial !== null) return;
    const readable = this.#ended || this.#paused ? 0 : EPOLLIN;
    const writable = this.#queue === null ? 0 : EPOLLOUT;
    this.#home.loop.poller.change(this, readable | writable || BREAKS_ONLY);
  }

  #close(error: Error | null): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#dial?.cancel();
    this.#dial = null;
    this.#queue?.clear();
    this.#queue = null;
    this.#home.loop.poller.close(this);
    const { owner } = this;
    this.owner = null;
    owner?.upstreamClosed(error);
  }
}
