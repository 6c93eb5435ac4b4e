import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import type { Listener } from '../config/types.ts';
import type { TcpAddress } from '../core/address.ts';
import { listenError } from './listen-error.ts';
import { listenOptions } from './listen-options.ts';

/**
 * Addresses of listeners, held for a moment to prove that nobody else has them. Workers share an address by
 * SO_REUSEPORT, which another process could silently join, and each would choose a port of its own for port 0.
 */
interface AddressClaim {
  /** The listeners with concrete addresses: an IP address, and the port that was got for port 0. */
  readonly listeners: readonly Listener[];
  /** Lets go of the addresses, so that the workers can have them. */
  readonly release: () => Promise<void>;
}

/** Listens on every address alone; rejects with a StartError, holding none, where one cannot be had. */
export async function claimAddresses(listeners: readonly Listener[]): Promise<AddressClaim> {
  const servers: Server[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  const concrete: Listener[] = [];
  try {
    for (const listener of listeners) {
      const { server, address } = await claim(listener);
      servers.push(server);
      concrete.push({ ...listener, address });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { listeners: concrete, release };
}

async function claim({ name, address }: Listener): Promise<{ server: Server; address: TcpAddress }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.destroy();
  });
  try {
    server.listen({ ...listenOptions(address), exclusive: true });
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
