/** Finds a port that no process has. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { overlap, type TcpAddress } from '../../core/address.ts';

const MAX_TRIES = 20;
const MAX_PORT = 65_535;

/**
 * Returns the address, or its next free port. Null if none of the next ports is free.
 *
 * @param reserved addresses that are not free, although nothing may listen on them yet
 */
export async function nextFree(
  address: TcpAddress,
  reserved: readonly TcpAddress[] = [],
): Promise<TcpAddress | null> {
  const last = Math.min(MAX_PORT, address.port + MAX_TRIES - 1);
  for (let port = address.port; port <= last; port++) {
    const candidate = { ...address, port };
    if (reserved.some((other) => overlap(other, candidate))) continue;
    if (await isFree(candidate)) return candidate;
  }
  return null;
}

/** Listens for a moment. Another process may take the port afterwards. */
async function isFree({ host, port }: TcpAddress): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
