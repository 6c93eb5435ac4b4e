import type { ListenerTls } from '../../config/types/listener.ts';
import type { TcpAddress } from '../../core/address.ts';
import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ClientAcceptor, ClientOwner, ClientTls, ClientTransport } from '../client-transport.ts';
import { NetAcceptor } from './net-acceptor.ts';
import { NetEntrance } from './net-entrance.ts';
import { NetTls } from './net-tls.ts';

/** Accepts clients as Node sockets, on every platform. */
export class NetClients implements ClientTransport {
  readonly #wheel: TimerWheel;
  readonly #yieldToNode: (() => void) | null;

  /** @param yieldToNode see `asChannel` */
  constructor(wheel: TimerWheel, yieldToNode: (() => void) | null) {
    this.#wheel = wheel;
    this.#yieldToNode = yieldToNode;
  }

  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor {
    return new NetClientAcceptor(address, new NetEntrance(owner, this.#wheel, this.#yieldToNode));
  }

  createTls(listener: string, tls: ListenerTls, ticketKeys: TicketKeyRing): ClientTls {
    return new NetTls(listener, tls, ticketKeys);
  }
}

class NetClientAcceptor extends NetAcceptor implements ClientAcceptor {
  readonly #entrance: NetEntrance;

  constructor(address: TcpAddress, entrance: NetEntrance) {
    super(address, entrance);
    this.#entrance = entrance;
  }

  closeArrivals(): void {
    this.#entrance.closeArrivals();
  }
}
