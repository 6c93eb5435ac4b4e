/** Channels of clients on either transport, and peers at their other ends. */
import type { Acceptor } from '../../../src/transport/acceptor.ts';
import type { ChannelOwner } from '../../../src/transport/channel.ts';
import type {
  ClientChannel,
  ClientOwner,
  ClientTls,
  ClientTransport,
} from '../../../src/transport/client-transport.ts';
import type { EntryRejection } from '../../../src/transport/entry.ts';
import { Arrivals } from '../../support/deadline.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { SystemPeer } from '../../support/sockets/system-peer.ts';
import { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { TlsPeer, TlsSystemPeer } from '../../support/sockets/tls-peer.ts';

/** The resetting peer's calls that a test uses. */
export type ResettingPeer = Pick<SystemPeer, 'send' | 'delivered' | 'receiveAll' | 'end' | 'reset' | 'close'>;

/** A transport, and what the TLS of its clients needs; null for clients without TLS. */
export interface Side {
  readonly transport: ClientTransport;
  readonly tls: ClientTls | null;
}

/** The sides of a test, and the end of their loop. */
export interface TransportRig {
  /** Connections are made to them by turns. */
  readonly sides: readonly Side[];
  readonly close: () => void;
}

/** Keeps what a channel tells. */
export class Witness implements ChannelOwner {
  readonly channel: ClientChannel;
  readonly events: string[] = [];
  received = Buffer.alloc(0);
  drains = 0;
  error: Error | null = null;
  isClosed = false;
  /** Called for each piece that comes. */
  onData: ((input: Buffer, start: number, end: number) => void) | null = null;

  constructor(channel: ClientChannel) {
    this.channel = channel;
    channel.owner = this;
  }

  channelData(input: Buffer, start: number, end: number): void {
    if (this.onData === null) this.received = Buffer.concat([this.received, input.subarray(start, end)]);
    else this.onData(input, start, end);
  }

  channelDrained(): void {
    this.drains++;
  }

  channelEnded(): void {
    this.events.push('ended');
  }

  channelClosed(error: Error | null): void {
    this.events.push('closed');
    this.error = error;
    this.isClosed = true;
  }
}

/** A listening address whose connections wait to be taken by a test. */
export class Entry {
  readonly addresses: readonly string[];
  /** Called for each connection; by default it waits in {@link accepted}. */
  onAccepted: (channel: ClientChannel) => void = (channel) => this.accepted.push(channel);
  readonly accepted = new Arrivals<ClientChannel>('a client');
  readonly peers: string[] = [];
  readonly descriptors: (number | undefined)[] = [];
  readonly closed: ClientChannel[] = [];
  readonly faults: unknown[] = [];
  readonly rejections: EntryRejection[] = [];
  readonly #sides: readonly Side[];
  readonly #acceptors: readonly Acceptor[];
  readonly #open = new Set<ClientChannel>();
  readonly #peers: { destroy(): void }[] = [];

  private constructor(sides: readonly Side[], ports: readonly number[]) {
    this.addresses = ports.map((port) => `127.0.0.1:${port}`);
    this.#sides = sides;
    this.#acceptors = sides.map(({ transport, tls }, index) =>
      transport.createAcceptor({ kind: 'tcp', host: '127.0.0.1', port: ports[index]! }, this.#owner(tls)),
    );
  }

  static async open(sides: readonly Side[]): Promise<Entry> {
    const entry = new Entry(sides, await freePorts(sides.length));
    for (const acceptor of entry.#acceptors) await acceptor.listen();
    return entry;
  }

  /** The address of the next connection. */
  get address(): string {
    return this.addresses[this.#next]!;
  }

  get #next(): number {
    return this.peers.length % this.addresses.length;
  }

  get #tls(): ClientTls | null {
    return this.#sides[this.#next]!.tls;
  }

  /** Connects a peer on Node's sockets. It reads nothing yet. */
  async connectPeer(): Promise<TcpPeer> {
    const peer = await (this.#tls === null ? TcpPeer : TlsPeer).connect(this.address);
    this.#peers.push(peer);
    return peer;
  }

  /** Does the same, and waits for the channel. */
  async connect(): Promise<{ witness: Witness; peer: TcpPeer }> {
    const peer = await this.connectPeer();
    return { witness: new Witness(await this.accepted.next()), peer };
  }

  /** Connects a peer which tells a reset from FIN: on system calls if there is no TLS. */
  async connectSystemPeer(): Promise<{ witness: Witness; peer: ResettingPeer }> {
    const peer = await (this.#tls === null ? SystemPeer : TlsSystemPeer).connect(this.address);
    return { witness: new Witness(await this.accepted.next()), peer };
  }

  /** Closes everything. */
  close(): void {
    for (const acceptor of this.#acceptors) acceptor.stop();
    for (const channel of this.#open) channel.destroy();
    for (const peer of this.#peers) peer.destroy();
    for (const { tls } of this.#sides) tls?.close();
  }

  #owner(tls: ClientTls | null): ClientOwner {
    return {
      entry: {
        proxyProtocol: 'off',
        trusts: () => false,
        admit: null,
        readsHello: tls !== null,
        admitsPostgres: false,
        timeoutMs: 10_000,
      },
      tls,
      passthrough: null,
      clientArrived: (descriptor) => {
        this.descriptors.push(descriptor);
        return true;
      },
      clientAccepted: (channel, { address }) => {
        this.#open.add(channel);
        this.peers.push(address);
        this.onAccepted(channel);
      },
      clientRejected: (rejection) => this.rejections.push(rejection),
      clientTunnelled: () => {
        throw new Error('nothing is tunnelled');
      },
      clientClosed: (channel) => {
        if (channel === null) return;
        this.#open.delete(channel);
        this.closed.push(channel);
      },
      acceptFailed: () => false,
      acceptFault: (error) => this.faults.push(error),
    };
  }
}
