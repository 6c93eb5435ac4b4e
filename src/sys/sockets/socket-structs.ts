/**
 * The structures of Linux that describe where a socket is bound or connects, and how epoll reports. Fields of
 * the kernel are in the machine's order of bytes, ports and addresses in that of the network.
 */

import { AF_INET, AF_INET6, AF_UNIX } from './socket-constants.ts';

/** `struct sockaddr_storage`: room for any of them. */
export const SOCKADDR_SIZE = 128;
/** What `sun_path` takes, without the NUL behind it. */
const LONGEST_PATH = 107;

/** Where the IP address lies in `sockaddr_in` and `sockaddr_in6`, and how long it is. */
export const IPV4_BYTES = { offset: 4, length: 4 } as const;
export const IPV6_BYTES = { offset: 8, length: 16 } as const;

/** Writes a `sockaddr_in` less its address, and returns its length. */
export function writeIpv4(into: Uint8Array, port: number, littleEndian: boolean): number {
  const view = blank(into);
  view.setUint16(0, AF_INET, littleEndian);
  view.setUint16(2, port, false);
  return 16;
}

/** Writes a `sockaddr_in6` less its address, and returns its length. @param scope the interface's index, or 0 */
export function writeIpv6(into: Uint8Array, port: number, scope: number, littleEndian: boolean): number {
  const view = blank(into);
  view.setUint16(0, AF_INET6, littleEndian);
  view.setUint16(2, port, false);
  view.setUint32(24, scope, littleEndian);
  return 28;
}

/** Writes a `sockaddr_un` and returns its length. Throws where the path is empty, too long or has a NUL. */
export function writeUnix(into: Uint8Array, path: string, littleEndian: boolean): number {
  const bytes = Buffer.from(path);
  if (bytes.length === 0 || bytes.length > LONGEST_PATH || bytes.includes(0)) {
    throw new RangeError(
      `${JSON.stringify(path)} is no path of a UNIX socket: it has 1 to ${LONGEST_PATH} bytes`,
    );
  }
  blank(into).setUint16(0, AF_UNIX, littleEndian);
  into.set(bytes, 2);
  return 2 + bytes.length + 1;
}

/**
 * Writes a `sockaddr_un` of the abstract namespace of Linux, where a NUL stands before the name and the length alone
 * says where it ends. Returns its length; throws as {@link writeUnix} does.
 */
export function writeAbstract(into: Uint8Array, name: string, littleEndian: boolean): number {
  const length = writeUnix(into, name, littleEndian);
  into.copyWithin(3, 2, length - 1);
  into[2] = 0;
  return length;
}

/** The address family that a structure says it has. */
export function familyOf(from: Uint8Array, littleEndian: boolean): number {
  return viewOf(from).getUint16(0, littleEndian);
}

/** Where things lie in an array of `struct epoll_event`, counted in 32-bit words. */
interface EpollLayout {
  /** From one event to the next. */
  readonly stride: number;
  /** From an event to the first of the two words of its data, which come back as they were given. */
  readonly data: number;
}

/** On x86-64 the structure is packed, so that 32-bit programs can share it; elsewhere its data is aligned. */
export function epollLayout(architecture: string): EpollLayout {
  return architecture === 'x64' ? { stride: 3, data: 1 } : { stride: 4, data: 2 };
}

function blank(into: Uint8Array): DataView {
  into.fill(0, 0, SOCKADDR_SIZE);
  return viewOf(into);
}

/** Throws where there is less than the room for any of the structures. */
function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, SOCKADDR_SIZE);
}
