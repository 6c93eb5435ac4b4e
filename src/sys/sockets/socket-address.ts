import { isIP } from 'node:net';
import type { Address, TcpAddress } from '../../core/address.ts';
import { formatAddress } from '../../core/address.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { AF_INET, AF_INET6, AF_UNIX } from '../socket-constants.ts';
import { IPV4_BYTES, IPV6_BYTES, SOCKADDR_BYTES, writeIpv4, writeIpv6, writeUnix } from './socket-structs.ts';

/** An address for system calls, created once and reused for many sockets. */
export class SocketAddress {
  /** The address as text, for messages. */
  readonly text: string;
  readonly family: number;
  /** Length of the address in {@link memory}, in bytes. */
  readonly length: number;
  readonly memory: PinnedBuffer;
  /** Whether the kernel chooses the port. */
  readonly hasPortZero: boolean;

  /** @throws RangeError for a host name, an unknown interface, or a path that {@link writeUnix} refuses */
  constructor(address: Address) {
    this.text = formatAddress(address);
    this.hasPortZero = address.kind === 'tcp' && address.port === 0;
    this.memory = new PinnedBuffer(SOCKADDR_BYTES);
    if (address.kind === 'unix') {
      this.family = AF_UNIX;
      this.length = writeUnix(this.memory.bytes, address.path, true);
      return;
    }
    const [host = '', zone] = address.host.split('%');
    switch (isIP(host)) {
      case 4:
        this.family = AF_INET;
        this.length = writeIpv4(this.memory.bytes, address.port, true);
        this.#parse(AF_INET, host, IPV4_BYTES);
        break;
      case 6:
        this.family = AF_INET6;
        this.length = writeIpv6(this.memory.bytes, address.port, scopeOf(address, zone), true);
        this.#parse(AF_INET6, host, IPV6_BYTES);
        break;
      default:
        throw new RangeError(`${address.host} is a host name: look up its addresses`);
    }
  }

  get isUnix(): boolean {
    return this.family === AF_UNIX;
  }

  #parse(family: number, host: string, { offset, length }: { offset: number; length: number }): void {
    const place = addressWithin(this.memory, offset, offset + length);
    if (nativeCalls().parseAddress(family, host, place) !== 1)
      throw new RangeError(`${host} is not an IP address`);
  }
}

/** Returns the interface index in an IPv6 address (`fe80::1%eth0`, or a number); 0 for none. */
function scopeOf({ host }: TcpAddress, zone: string | undefined): number {
  if (zone === undefined) return 0;
  const index = /^\d{1,9}$/.test(zone) ? Number(zone) : nativeCalls().interfaceIndex(zone);
  if (index === 0) throw new RangeError(`${host}: no network interface ${zone}`);
  return index;
}
