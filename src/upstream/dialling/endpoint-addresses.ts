import type { Address } from '../../core/address.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';

/** Endpoint addresses in the form that system calls need. Each is created once and freed with its address. */
export class EndpointAddresses {
  readonly #made = new WeakMap<Address, SocketAddress>();

  /** @throws RangeError if the address has a host name, or a path that the system rejects */
  of(address: Address): SocketAddress {
    let made = this.#made.get(address);
    if (made === undefined) {
      made = new SocketAddress(address);
      this.#made.set(address, made);
    }
    return made;
  }
}
