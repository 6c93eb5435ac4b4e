/** Clients on Node's sockets whose owner keeps what it is told. */
import assert from 'node:assert/strict';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type {
  ClientAcceptor,
  ClientChannel,
  ClientFacts,
  ClientOwner,
  ClientTls,
  Passthrough,
} from '../../../../src/transport/client-transport.ts';
import type { EntryRejection, EntryTerms } from '../../../../src/transport/entry.ts';
import { NetClients } from '../../../../src/transport/net/net-clients.ts';
import { Arrivals, eventually } from '../../../support/deadline.ts';
import { freePorts } from '../../../support/sockets/free-port.ts';

interface Accepted {
  readonly channel: ClientChannel;
  readonly facts: ClientFacts;
  /** Returns the text received so far. */
  readonly received: () => string;
}

export class NetEntryRig implements ClientOwner {
  /** Stands still at 0 but for `advance`. */
  readonly wheel = new TimerWheel(0);
  readonly transport = new NetClients(this.wheel, null);
  readonly port: number;
  readonly acceptor: ClientAcceptor;
  entry: EntryTerms;
  tls: ClientTls | null = null;
  passthrough: Passthrough | null = null;
  isFull = false;
  arrived = 0;
  /** Connections that have closed before they were accepted. */
  gone = 0;
  tunnelled = 0;
  accepted = new Arrivals<Accepted>('a client');
  rejections = new Arrivals<EntryRejection>('a rejection');
  closed: ClientChannel[] = [];
  errors: (Error | null)[] = [];
  faults: unknown[] = [];
  readonly #open = new Set<ClientChannel>();

  private constructor(port: number) {
    this.port = port;
    this.entry = {
      proxyProtocol: 'off',
      trusts: () => true,
      admit: null,
      readsHello: false,
      admitsPostgres: false,
      timeoutMs: 1000,
    };
    this.acceptor = this.transport.createAcceptor({ kind: 'tcp', host: '127.0.0.1', port }, this);
  }

  static async listen(): Promise<NetEntryRig> {
    const [port] = await freePorts(1);
    const rig = new NetEntryRig(port!);
    await rig.acceptor.listen();
    return rig;
  }

  /** Sets what connections that come from now on get. */
  serve(tls: ClientTls | null, passthrough: Passthrough | null = null): void {
    this.tls = tls;
    this.passthrough = passthrough;
    this.entry = { ...this.entry, readsHello: tls !== null || passthrough !== null };
  }

  /** Closes all connections, and forgets what it was told. */
  async reset(): Promise<void> {
    this.acceptor.closeArrivals();
    for (const channel of this.#open) channel.destroy();
    await eventually(() => assert.equal(this.closed.length + this.gone + this.tunnelled, this.arrived));
    this.accepted = new Arrivals('a client');
    this.rejections = new Arrivals('a rejection');
    this.arrived = this.gone = this.tunnelled = 0;
    this.closed = [];
    this.errors = [];
    this.faults = [];
    this.isFull = false;
  }

  async close(): Promise<void> {
    await this.reset();
    this.acceptor.stop();
  }

  clientArrived(): boolean {
    this.arrived++;
    return !this.isFull;
  }

  clientAccepted(channel: ClientChannel, facts: ClientFacts): void {
    this.#open.add(channel);
    let text = '';
    channel.owner = {
      channelData: (input, start, end) => (text += input.toString('latin1', start, end)),
      channelEnded: () => channel.end(),
      channelClosed: (error) => this.errors.push(error),
    };
    this.accepted.push({ channel, facts, received: () => text });
  }

  clientRejected(rejection: EntryRejection): void {
    this.rejections.push(rejection);
  }

  clientTunnelled(): void {
    this.tunnelled++;
  }

  clientClosed(channel: ClientChannel | null): void {
    if (channel === null) {
      this.gone++;
      return;
    }
    this.#open.delete(channel);
    this.closed.push(channel);
  }

  acceptFailed(): boolean {
    return false;
  }

  acceptFault(error: unknown): void {
    this.faults.push(error);
  }
}
