import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Listener } from '../config/types.ts';
import type { TcpAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
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
 * Addresses of listeners, held for a moment to prove that nobody else has them. Workers share an address by
 * SO_REUSEPORT, which another process could silently join, and each would choose a port of its own for port 0.
 */
interface AddressClaim {
  /** The listeners with concrete addresses: an IP address, and the port that was got for port 0. */
  readonly listeners: readonly Listener[];
  readonly held: readonly HeldAddress[];
  /** Lets go of the addresses, so that the workers can have them. */
  readonly release: () => Promise<void>;
}

interface ClaimOptions {
  /** What this process has already: it is not claimed again. */
  readonly held?: readonly HeldAddress[];
  /** Whether another process may have the addresses, which this one takes over. */
  readonly shared?: boolean;
}

/** Listens on every address alone; rejects with a StartError, holding none, where one cannot be had. */
export async function claimAddresses(
  listeners: readonly Listener[],
  { held = [], shared = false }: ClaimOptions = {},
): Promise<AddressClaim> {
  const servers: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  const claimed: HeldAddress[] = [];
  try {
    for (const { name, address: configured } of listeners) {
      let concrete = findHeld(held, name, configured);
      if (concrete === null) {
        // An address of ours that overlaps it, such as 0.0.0.0 beside 127.0.0.1, is in nobody's way.
        const reusePort = shared || held.some((other) => other.concrete.port === configured.port);
        const { server, address } = await claim(name, configured, reusePort);
        servers.push(server);
        concrete = address;
      }
      claimed.push({ name, configured, concrete });
    }
  } catch (error) {
    await release();
    throw error;
  }
  const concrete = listeners.map((listener, index) => ({ ...listener, address: claimed[index]!.concrete }));
  return { listeners: concrete, held: claimed, release };
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

async function claim(
  name: string,
  address: TcpAddress,
  reusePort: boolean,
): Promise<{ server: Server; address: TcpAddress }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.destroy();
  });
  try {
    server.listen({ ...listenOptions(address), exclusive: true, reusePort });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(`listener "${name}"`, address, error);
  }
  const bound = server.address() as AddressInfo;
  return { server, address: { kind: 'tcp', host: bound.address, port: bound.port } };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
