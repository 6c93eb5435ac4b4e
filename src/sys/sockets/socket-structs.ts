/**
 * Linux's socket address structures. Fields for the kernel are in machine byte order, ports and addresses in
 * network byte order.
 */

import { MAX_SOCKET_PATH_BYTES } from '../../core/address.ts';
import { AF_INET, AF_INET6, AF_UNIX } from '../socket-constants.ts';

/** Size of `struct sockaddr_storage`, which has room for every address. */
export const SOCKADDR_BYTES = 128;

/** Size of `struct sockaddr_in`. */
const IPV4_SOCKADDR_BYTES = 16;

/** Position of the IP address in `sockaddr_in` and `sockaddr_in6`. */
export const IPV4_BYTES = { offset: 4, length: 4 } as const;
export const IPV6_BYTES = { offset: 8, length: 16 } as const;

/** Writes a `sockaddr_in` without its IP address. Returns its length. */
export function writeIpv4(into: Uint8Array, port: number, littleEndian: boolean): number {
  const view = blank(into);
  view.setUint16(0, AF_INET, littleEndian);
  view.setUint16(2, port, false);
  return IPV4_SOCKADDR_BYTES;
}

/** Writes a `sockaddr_in6` without its IP address. Returns its length. @param scope interface index, or 0 */
export function writeIpv6(into: Uint8Array, port: number, scope: number, littleEndian: boolean): number {
  const view = blank(into);
  view.setUint16(0, AF_INET6, littleEndian);
  view.setUint16(2, port, false);
  view.setUint32(24, scope, littleEndian);
  return 28;
}

/**
 * Writes a `sockaddr_un`. Returns its length.
 *
 * @throws RangeError if the path is empty, too long, or contains a NUL
 */
export function writeUnix(into: Uint8Array, path: string, littleEndian: boolean): number {
  const bytes = Buffer.from(path);
  if (bytes.length === 0 || bytes.length > MAX_SOCKET_PATH_BYTES || bytes.includes(0)) {
    throw new RangeError(
      `${JSON.stringify(path)} is not a UNIX socket path: use 1 to ${MAX_SOCKET_PATH_BYTES} bytes without NUL`,
    );
  }
  blank(into).setUint16(0, AF_UNIX, littleEndian);
  into.set(bytes, 2);
  return 2 + bytes.length + 1;
}

/**
 * Writes a `sockaddr_un` of Linux's abstract namespace: a NUL precedes the name, and only the length marks
 * its end. Returns its length.
 *
 * @throws RangeError like {@link writeUnix}
 */
export function writeAbstract(into: Uint8Array, name: string, littleEndian: boolean): number {
  const length = writeUnix(into, name, littleEndian);
  into.copyWithin(3, 2, length - 1);
  into[2] = 0;
  return length;
}

/** Reads the address family of a structure. */
export function familyOf(from: Uint8Array, littleEndian: boolean): number {
  return viewOf(from).getUint16(0, littleEndian);
}

/** Reads the port of a `sockaddr_in` or `sockaddr_in6`. */
export function portOf(from: Uint8Array): number {
  return viewOf(from).getUint16(2, false);
}

function blank(into: Uint8Array): DataView {
  into.fill(0, 0, SOCKADDR_BYTES);
  return viewOf(into);
}

/** @throws RangeError if there are fewer bytes than the largest structure has */
function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, SOCKADDR_BYTES);
}
