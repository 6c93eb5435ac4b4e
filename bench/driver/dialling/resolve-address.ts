import { lookup } from 'node:dns/promises';
import { createConnection, isIP } from 'node:net';
import { StartError, messageOf } from '../../../src/core/errors.ts';

const PROBE_MS = 3000;

/**
 * Resolves the IP address that a run connects to, so that no lookup falls into the measurement. Chooses the
 * first address that answers.
 *
 * @throws StartError if the name has no address
 */
export async function resolveAddress(host: string, port: number): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    const addresses = await lookup(host, { all: true });
    if (addresses.length === 1) return addresses[0]!.address;
    return (await answering(host, port)) ?? addresses[0]!.address;
  } catch (error) {
    throw new StartError(`${host} has no address: ${messageOf(error)}`);
  }
}

/**
 * Returns the address of the first connection that succeeds, or null. Node tries all addresses (RFC 8305).
 */
function answering(host: string, port: number): Promise<string | null> {
  return new Promise((settle) => {
    const socket = createConnection({ host, port });
    socket.setTimeout(PROBE_MS, () => socket.destroy());
    socket.once('connect', () => {
      settle(socket.remoteAddress ?? null);
      socket.destroy();
    });
    socket.on('error', () => settle(null));
    socket.on('close', () => settle(null));
  });
}
