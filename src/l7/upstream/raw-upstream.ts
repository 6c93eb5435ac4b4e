import type { EventLoop } from '../../loop/event-loop.ts';
import type { Watched } from '../../loop/poller.ts';
import { RawChannel } from '../../transport/raw/raw-channel.ts';
import { RawContext } from '../../transport/raw/raw-context.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { AddressDial, type DialOwner } from '../../upstream/dialling/address-dial.ts';
import { EndpointAddresses } from '../../upstream/dialling/endpoint-addresses.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { UpstreamDialler, UpstreamOwner, UpstreamSocket } from '../contract/upstream-socket.ts';
import { openSocket } from './net-upstream.ts';

/** Dials endpoints by system calls. Clusters with TLS use Node's sockets. */
export class RawDialler implements UpstreamDialler {
  readonly context: RawContext;
  readonly addresses = new EndpointAddresses();
  readonly #touched = (): void => this.context.loop.yieldToNode();

  constructor(loop: EventLoop) {
    this.context = new RawContext(loop);
  }

  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner, preface: Buffer | null): UpstreamSocket {
    if (cluster.tls !== null) return openSocket(cluster, endpoint, owner, preface, this.#touched);
    const upstream =
      preface === null ? new RawUpstream(this, owner) : new PrefacedUpstream(this, owner, preface);
    upstream.connect(endpoint);
    return upstream;
  }
}

/** A channel to an endpoint, which it dials. */
class RawUpstream extends RawChannel<UpstreamOwner> implements UpstreamSocket, DialOwner {
  readonly #dialler: RawDialler;
  /** Null once the connection is established. */
  #dial: AddressDial | null = null;

  constructor(dialler: RawDialler, owner: UpstreamOwner) {
    super(dialler.context, owner);
    this.#dialler = dialler;
  }

  /** Starts to dial. */
  connect(endpoint: Endpoint): void {
    const { loop } = this.context;
    const { addresses } = this.#dialler;
    const dial = new AddressDial(loop, (address) => addresses.of(address), endpoint, this);
    this.#dial = dial;
    // Deferred, because the owner does not know this connection yet.
    if (!dial.start()) loop.defer(() => this.close(dial.error));
  }

  dialConnected(connection: Watched): void {
    this.context.loop.poller.adopt(connection, this);
    this.#dial = null;
    this.opened();
    this.owner?.upstreamConnected();
  }

  dialFailed(error: Error): void {
    this.close(error);
  }

  dialFault(error: unknown): void {
    this.fault(error);
  }

  protected override get isOpen(): boolean {
    return this.#dial === null && this.fd >= 0;
  }

  protected override close(error: Error | null): void {
    this.#dial?.cancel();
    this.#dial = null;
    super.close(error);
  }
}

/** A channel to an endpoint that gets a preface. A separate class saves a field in all others. */
class PrefacedUpstream extends RawUpstream {
  /** Null after it was sent. */
  #preface: Buffer | null;

  constructor(dialler: RawDialler, owner: UpstreamOwner, preface: Buffer) {
    super(dialler, owner);
    this.#preface = preface;
  }

  protected override opened(): void {
    super.opened();
    const preface = this.#preface;
    this.#preface = null;
    if (preface !== null) this.write(preface);
  }
}
