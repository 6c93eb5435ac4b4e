import type { Address } from '../../core/address.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';

/** The endpoints' addresses in the form of system calls. Each is made once, and freed with the address itself. */
export class EndpointAddresses {
  readonly #made = new WeakMap<Address, SocketAddress>();

  /** Throws a RangeError if the address has a host name, or a path that the system does not take. */
  of(address: Address): SocketAddress {
    let made = this.#made.get(address);
    if (made === undefined) {
      made = new SocketAddress(address);
      this.#made.set(address, made);
    }
    return made;
  }
}
