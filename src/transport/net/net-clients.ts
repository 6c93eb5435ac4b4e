import type { Socket } from 'node:net';
import type { TcpAddress } from '../../core/address.ts';
import { descriptorOf } from '../../sys/node/node-sockets.ts';
import type { AcceptorOwner } from '../acceptor.ts';
import {
  factsOf,
  type ClientAcceptor,
  type ClientChannel,
  type ClientOwner,
  type ClientTls,
  type ClientTransport,
} from '../client-transport.ts';
import { NetAcceptor } from './net-acceptor.ts';
import { endsOfSocket, type SocketEnds } from '../connection-ends.ts';
import { asChannel, readByEvents, type ChannelHost, type NetChannel } from './net-channel.ts';

/** Accepts clients as Node's sockets, on every platform. */
export class NetClients implements ClientTransport {
  readonly #touched: (() => void) | null;

  /** @param touched as for {@link asChannel} */
  constructor(touched: (() => void) | null) {
    this.#touched = touched;
  }

  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor {
    return new NetClientAcceptor(address, new Entrance(owner, this.#touched));
  }

  createTls(): ClientTls {
    throw new Error('the engine net does not end TLS');
  }
}

class NetClientAcceptor extends NetAcceptor implements ClientAcceptor {
  closeArrivals(): void {
    // All connections are served at once.
  }
}

/** Makes channels of accepted sockets. */
class Entrance implements AcceptorOwner<Socket>, ChannelHost {
  readonly #owner: ClientOwner;
  readonly #touched: (() => void) | null;

  constructor(owner: ClientOwner, touched: (() => void) | null) {
    this.#owner = owner;
    this.#touched = touched;
  }

  accepted(socket: Socket): void {
    const channel: NetChannel & ClientChannel = Object.assign(asChannel(socket, null, this.#touched), {
      liveIndex: -1,
      ends: endsOfThis,
    });
    channel.host = this;
    readByEvents(channel);
    if (!this.#owner.clientArrived(descriptorOf(socket))) {
      channel.destroy();
      return;
    }
    try {
      this.#owner.clientAccepted(channel, factsOf(socket.remoteAddress ?? ''));
    } catch (error) {
      channel.destroy();
      throw error;
    }
  }

  closed(channel: NetChannel): void {
    this.#owner.clientClosed(channel as NetChannel & ClientChannel);
  }

  faulted(error: unknown): void {
    this.#owner.acceptFault(error);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.#owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.#owner.acceptFault(error);
  }
}

function endsOfThis(this: NetChannel): SocketEnds {
  return endsOfSocket(this);
}
