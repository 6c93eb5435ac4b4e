import type { ListenerTls } from '../../config/types/listener.ts';
import type { TcpAddress } from '../../core/address.ts';
import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import { limitUnsent } from '../../sys/sockets/listening-sockets.ts';
import type { ClientAcceptor, ClientOwner, ClientTls, ClientTransport } from '../client-transport.ts';
import { Entrance } from './entrance.ts';
import { RawAcceptor } from './raw-acceptor.ts';
import type { RawContext } from './raw-context.ts';
import { RawTls } from './raw-tls.ts';

/**
 * Max unsent bytes in the kernel for one client. By default the kernel takes 4 MiB for a client that reads
 * nothing. It reports room only after a third is sent, so a slow reader seems to stall for a minute.
 */
const MAX_UNSENT_BYTES = 256 * 1024;

/** Accepts clients by system calls. Linux only. */
export class RawClients implements ClientTransport {
  readonly #context: RawContext;

  constructor(context: RawContext) {
    this.#context = context;
  }

  createAcceptor(address: TcpAddress, owner: ClientOwner): ClientAcceptor {
    return new RawClientAcceptor(this.#context, address, new Entrance(this.#context, owner));
  }

  createTls(listener: string, tls: ListenerTls, ticketKeys: TicketKeyRing): ClientTls {
    return new RawTls(this.#context.loop, listener, tls, ticketKeys);
  }
}

class RawClientAcceptor extends RawAcceptor implements ClientAcceptor {
  readonly #entrance: Entrance;

  constructor({ loop }: RawContext, address: TcpAddress, entrance: Entrance) {
    super(loop, address, entrance);
    this.#entrance = entrance;
  }

  override listen(): void {
    super.listen();
    limitUnsent(this.fd, MAX_UNSENT_BYTES);
  }

  closeArrivals(): void {
    this.#entrance.closeArrivals();
  }
}
