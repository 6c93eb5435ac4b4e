import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Listener } from '../config/types.ts';
import type { TcpAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import { codeOf } from '../core/errors.ts';
import { PortReservation } from '../sys/port-reservation.ts';
import { SocketAddress } from '../sys/socket-address.ts';
import { unsupportedReason } from '../sys/support.ts';
import { listenError } from './listen-error.ts';
import { listenOptions } from './listen-options.ts';

/** An address that this process listens on already. */
export interface HeldAddress {
  /** The listener's. */
  readonly name: string;
  /** As it is in the configuration. */
  readonly configured: TcpAddress;
  /** With an IP address, and a port that is not 0. */
  readonly concrete: TcpAddress;
}

/**
 * Addresses of listeners, held to prove that nobody else has them. Workers share an address by SO_REUSEPORT, which
 * another process could silently join, and each would choose a port of its own for port 0.
 */
interface AddressClaim {
  /** The listeners with concrete addresses: an IP address, and the port that was got for port 0. */
  readonly listeners: readonly Listener[];
  readonly held: readonly HeldAddress[];
  /** Lets go of what stands in the way of the workers, so that they can listen. */
  readonly release: () => Promise<void>;
  /** Lets go of everything; only when the workers listen, or will not. */
  readonly free: () => Promise<void>;
}

interface ClaimOptions {
  /** What this process has already: it is not claimed again. */
  readonly held?: readonly HeldAddress[];
  /** Whether another process may have the addresses, which this one takes over. */
  readonly shared?: boolean;
}

/** One address that has been claimed. */
interface Claimed {
  readonly name: string;
  readonly address: TcpAddress;
  /** What is in the way of the workers: at first a socket that listens, because only that meets everybody else's. */
  barrier: Server | PortReservation | null;
  /** What is not. */
  readonly reservation: PortReservation | null;
}

/** Claims every address; rejects with a StartError, holding none, where one cannot be had. */
export async function claimAddresses(
  listeners: readonly Listener[],
  { held = [], shared = false }: ClaimOptions = {},
): Promise<AddressClaim> {
  const claims: Claimed[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(claims.map(({ barrier }) => close(barrier)));
  };
  const free = async (): Promise<void> => {
    await release();
    for (const { reservation } of claims) reservation?.close();
  };
  const claimed: HeldAddress[] = [];
  try {
    for (const { name, address: configured } of listeners) {
      let concrete = findHeld(held, name, configured);
      if (concrete === null) {
        // An address of ours that overlaps it, such as 0.0.0.0 beside 127.0.0.1, is in nobody's way.
        const joins = shared || held.some((other) => other.concrete.port === configured.port);
        const made = await claim(name, configured, joins);
        claims.push(made);
        concrete = made.address;
      }
      claimed.push({ name, configured, concrete });
    }
    // A client that comes before the workers listen is refused, and not accepted to be cut.
    for (const one of claims) await stopListening(one);
  } catch (error) {
    await free();
    throw error;
  }
  const concrete = listeners.map((listener, index) => ({ ...listener, address: claimed[index]!.concrete }));
  return { listeners: concrete, held: claimed, release, free };
}

/** A listener of the name that had port 0 keeps its port; any other address of ours is found by what it is. */
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

/** @param joins whether others that share the address may listen there: then nobody but a worker may listen, too */
async function claim(name: string, address: TcpAddress, joins: boolean): Promise<Claimed> {
  try {
    // A port of the system's choice is kept until the workers have it: others ask for such ports all the time.
    if (joins || address.port === 0) {
      const concrete = { ...address, host: await ipOf(address.host) };
      const reservation = reserve(concrete, true);
      if (reservation !== null) {
        return { name, address: { ...concrete, port: reservation.port }, barrier: null, reservation };
      }
      // Whoever cannot keep it without listening finds out when the workers listen.
      if (joins && address.port !== 0) return { name, address: concrete, barrier: null, reservation: null };
    }
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.destroy();
    });
    server.listen({ ...listenOptions(address), exclusive: true });
    await once(server, 'listening');
    const bound = server.address() as AddressInfo;
    const concrete: TcpAddress = { kind: 'tcp', host: bound.address, port: bound.port };
    return { name, address: concrete, barrier: server, reservation: null };
  } catch (error) {
    throw listenError(`listener "${name}"`, address, error);
  }
}

/** Keeps an address without listening on it, where that can be done. */
async function stopListening(claimed: Claimed): Promise<void> {
  const { name, address, barrier } = claimed;
  if (barrier === null || barrier instanceof PortReservation || unsupportedReason() !== null) return;
  await close(barrier);
  claimed.barrier = null;
  try {
    claimed.barrier = reserve(address, false);
  } catch (error) {
    throw listenError(`listener "${name}"`, address, error);
  }
}

async function ipOf(host: string): Promise<string> {
  const plain = host.split('%')[0] ?? '';
  return isIP(plain) === 0 ? (await lookup(host)).address : host;
}

/** Null where system calls are not supported, or the machine has no IPv6, with which only Node deals. */
function reserve(address: TcpAddress, shared: boolean): PortReservation | null {
  try {
    return new PortReservation(new SocketAddress(address), shared);
  } catch (error) {
    if (codeOf(error) === '' || (address.host === '::' && codeOf(error) === 'EAFNOSUPPORT')) return null;
    throw error;
  }
}

async function close(barrier: Server | PortReservation | null): Promise<void> {
  if (barrier instanceof PortReservation) barrier.close();
  else if (barrier !== null) await new Promise((resolve) => barrier.close(resolve));
}
