/** Channels of clients on either transport, and peers at their other ends. */
import type { Acceptor } from '../../../src/transport/acceptor.ts';
import type { ChannelOwner } from '../../../src/transport/channel.ts';
import type {
  ClientChannel,
  ClientFacts,
  ClientOwner,
  ClientTransport,
} from '../../../src/transport/client-transport.ts';
import type { EntryTerms } from '../../../src/transport/entry.ts';
import { Arrivals } from '../../support/deadline.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { SystemPeer } from '../../support/sockets/system-peer.ts';
import { TcpPeer } from '../../support/sockets/tcp-peer.ts';

/** The transports of a test, and the end of their loop. */
export interface TransportRig {
  /** Connections are made to them by turns. */
  readonly transports: readonly ClientTransport[];
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
export class Entry implements ClientOwner {
  readonly entry: EntryTerms = {
    proxyProtocol: 'off',
    trusts: () => false,
    readsHello: false,
    timeoutMs: 10_000,
  };
  readonly tls = null;
  readonly passthrough = null;
  readonly addresses: readonly string[];
  /** Called for each connection; by default it waits in {@link accepted}. */
  onAccepted: (channel: ClientChannel) => void = (channel) => this.accepted.push(channel);
  readonly accepted = new Arrivals<ClientChannel>('a client');
  readonly peers: string[] = [];
  readonly descriptors: (number | undefined)[] = [];
  readonly closed: ClientChannel[] = [];
  readonly faults: unknown[] = [];
  readonly #acceptors: readonly Acceptor[];
  readonly #open = new Set<ClientChannel>();
  readonly #peers: { destroy(): void }[] = [];

  private constructor(transports: readonly ClientTransport[], ports: readonly number[]) {
    this.addresses = ports.map((port) => `127.0.0.1:${port}`);
    this.#acceptors = transports.map((transport, index) =>
      transport.createAcceptor({ kind: 'tcp', host: '127.0.0.1', port: ports[index]! }, this),
    );
  }

  static async open(transports: readonly ClientTransport[]): Promise<Entry> {
    const entry = new Entry(transports, await freePorts(transports.length));
    for (const acceptor of entry.#acceptors) await acceptor.listen();
    return entry;
  }

  /** The address of the next connection. */
  get address(): string {
    return this.addresses[this.peers.length % this.addresses.length]!;
  }

  clientArrived(descriptor: number | undefined): boolean {
    this.descriptors.push(descriptor);
    return true;
  }

  clientAccepted(channel: ClientChannel, { address }: ClientFacts): void {
    this.#open.add(channel);
    this.peers.push(address);
    this.onAccepted(channel);
  }

  clientRejected(): void {
    throw new Error('nothing has to be sent first');
  }

  clientTunnelled(): void {
    throw new Error('nothing is tunnelled');
  }

  clientClosed(channel: ClientChannel | null): void {
    if (channel === null) return;
    this.#open.delete(channel);
    this.closed.push(channel);
  }

  acceptFailed(): boolean {
    return false;
  }

  acceptFault(error: unknown): void {
    this.faults.push(error);
  }

  /** Connects a peer on Node's sockets. It reads nothing yet. */
  async connect(): Promise<{ witness: Witness; peer: TcpPeer }> {
    const peer = await TcpPeer.connect(this.address);
    this.#peers.push(peer);
    return { witness: new Witness(await this.accepted.next()), peer };
  }

  /** Connects a peer on system calls, which tells a reset from FIN. */
  async connectSystemPeer(): Promise<{ witness: Witness; peer: SystemPeer }> {
    const peer = await SystemPeer.connect(this.address);
    return { witness: new Witness(await this.accepted.next()), peer };
  }

  /** Closes everything. */
  close(): void {
    for (const acceptor of this.#acceptors) acceptor.stop();
    for (const channel of this.#open) channel.destroy();
    for (const peer of this.#peers) peer.destroy();
  }
}
