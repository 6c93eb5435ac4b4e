import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/**
 * Finds different TCP ports of 127.0.0.1 that no process listens on. Use port 0 if possible: another process may take
 * one of these ports before the test does.
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
