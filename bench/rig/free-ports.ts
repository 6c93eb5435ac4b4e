import { createServer, type AddressInfo } from 'node:net';

/** Returns ports of 127.0.0.1 that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((settle) => server.close(settle))));
  return ports;
}
