import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Listener } from '../../config/types/listener.ts';
import { formatAddress, overlap, type TcpAddress } from '../../core/address.ts';
import { StartError, codeOf } from '../../core/errors.ts';
import { NodeReservation } from '../../sys/node/node-reservation.ts';
import { PortReservation, type Reservation } from '../../sys/sockets/port-reservation.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';
import { unsupportedReason } from '../../sys/support.ts';
import { listenError } from './listen-error.ts';

/** An address that this process already listens on. */
export interface HeldAddress {
  /** Name of the listener. */
  readonly name: string;
  /** Address in the configuration. */
  readonly configured: TcpAddress;
  /** Address with an IP address and the assigned port. */
  readonly concrete: TcpAddress;
}

/**
 * Addresses of listeners, bound to prove that no other process has them. Workers share an address by
 * SO_REUSEPORT, which another process could join unnoticed. For port 0, each worker would get a different
 * port.
 *
 * Nothing listens on a claimed address. A client that connects before the workers listen is refused, instead
 * of accepted and reset.
 */
export interface AddressClaim {
  /** Listeners with concrete addresses: an IP address, and the assigned port in place of port 0. */
  readonly listeners: readonly Listener[];
  readonly held: readonly HeldAddress[];
  /** Lets the workers listen, and keeps other processes out until {@link free}. */
  readonly release: () => void;
  /** Ends the claim. Called when the workers listen, or will not. */
  readonly free: () => void;
}

interface ClaimOptions {
  /** Addresses that this process already holds. They are not claimed again. */
  readonly held?: readonly HeldAddress[];
  /** Whether another process may have the addresses, because it hands over to this one. */
  readonly shared?: boolean;
}

/** A claimed address. */
interface Claimed {
  readonly name: string;
  readonly address: TcpAddress;
  /** Null if nothing reserves the address. Only the workers can then find out whether it is free. */
  readonly reservation: Reservation | null;
}

/** Claims every address. @throws StartError if one cannot be claimed. No address is held then */
export async function claimAddresses(
  listeners: readonly Listener[],
  { held = [], shared = false }: ClaimOptions = {},
): Promise<AddressClaim> {
  const claims: Claimed[] = [];
  const release = (): void => {
    for (const { reservation } of claims) reservation?.share();
  };
  const free = (): void => {
    for (const { reservation } of claims) reservation?.close();
  };
  const claimed: HeldAddress[] = [];
  try {
    for (const [index, { name, address: configured }] of listeners.entries()) {
      let concrete = findHeld(held, name, configured);
      if (concrete === null) {
        // This process may have an overlapping address, such as 0.0.0.0 beside 127.0.0.1.
        const joins = shared || held.some((other) => other.concrete.port === configured.port);
        const made = await claim({ index, name }, configured, joins, claims);
        claims.push(made);
        concrete = made.address;
      }
      claimed.push({ name, configured, concrete });
    }
  } catch (error) {
    free();
    throw error;
  }
  const concrete = listeners.map((listener, index) => ({ ...listener, address: claimed[index]!.concrete }));
  return { listeners: concrete, held: claimed, release, free };
}

/** Finds an address that this process holds. A listener with port 0 keeps its port if it keeps its name. */
function findHeld(held: readonly HeldAddress[], name: string, wanted: TcpAddress): TcpAddress | null {
  const text = formatAddress(wanted);
  const same = held.find((other) => other.name === name && formatAddress(other.configured) === text);
  if (same !== undefined) return same.concrete;
  if (wanted.port === 0) return null;
  const equal = held.find(({ configured, concrete }) =>
    [configured, concrete].some((address) => formatAddress(address) === text),
  );
  return equal?.concrete ?? null;
}

/**
 * Claims one address.
 *
 * @param joins whether other sockets may share the address
 * @param claims claims of other listeners
 */
async function claim(
  { index, name }: { readonly index: number; readonly name: string },
  address: TcpAddress,
  joins: boolean,
  claims: readonly Claimed[],
): Promise<Claimed> {
  try {
    const concrete = { ...address, host: await ipOf(address.host) };
    const other = claims.find((one) => overlap(one.address, concrete));
    if (other !== undefined) {
      const where = formatAddress(address);
      throw new StartError(
        `listener "${name}" cannot listen on ${where}: the address is in use by listener "${other.name}"; choose another`,
      );
    }
    return reserve(name, concrete, joins);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw listenError(`listener "${name}"`, `listeners.${index}.address`, address, error);
  }
}

function reserve(name: string, address: TcpAddress, joins: boolean): Claimed {
  try {
    const reservation = bind(address, joins);
    return { name, address: { ...address, port: reservation?.port ?? address.port }, reservation };
  } catch (error) {
    // A machine without IPv6 binds all IPv4 interfaces.
    if (address.host !== '::' || codeOf(error) !== 'EAFNOSUPPORT') throw error;
    return reserve(name, { ...address, host: '0.0.0.0' }, joins);
  }
}

function bind(address: TcpAddress, joins: boolean): Reservation | null {
  // A port chosen by the kernel is shared from the start: other processes request such ports all the time.
  if (unsupportedReason() === null) {
    return new PortReservation(new SocketAddress(address), joins || address.port === 0);
  }
  if (address.port !== 0 && (joins || !NodeReservation.isSupported)) return null;
  return new NodeReservation(address);
}

async function ipOf(host: string): Promise<string> {
  const plain = host.split('%')[0] ?? '';
  return isIP(plain) === 0 ? (await lookup(host)).address : host;
}
