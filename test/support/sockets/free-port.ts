import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/**
 * Finds TCP ports of 127.0.0.1 that nobody listens on, all different. Where port 0 can be used, use that: another
 * process may take one of these before the test does.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((settle) => server.close(settle))));
  return ports;
}

function listen(): Promise<Server> {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => settle(server));
  });
}
