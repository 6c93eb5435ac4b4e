/** Addresses at which a dial fails, for as long as a test wants and whatever else runs on the machine. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { within } from '../deadline.ts';

export interface BadEndpoint {
  /** `host:port` */
  readonly address: string;
  close(): void;
}

/** Makes an endpoint that refuses dials: the local end of a connection, whose port no other process can listen on. */
export async function refusingEndpoint(): Promise<BadEndpoint> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = await dial((server.address() as AddressInfo).port);
  return {
    address: `127.0.0.1:${socket.localPort}`,
    close: () => {
      socket.destroy();
      server.close();
    },
  };
}

/**
 * Makes an endpoint that never answers a dial: a listener whose queue is full and never emptied. Rejects if it cannot
 * listen.
 *
 * @param wanted 0 for any port
 */
export async function silentEndpoint(host = '127.0.0.1', wanted = 0): Promise<BadEndpoint> {
  const thread = new Worker(new URL('./fixtures/blocked-listener.ts', import.meta.url), {
    workerData: { host, port: wanted },
  });
  const [port] = (await within('the listener', once(thread, 'message'))) as [number];
  // The kernel keeps one more than the backlog.
  const queued = await Promise.all([dial(port, host), dial(port, host)]);
  return {
    address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    close: () => {
      for (const socket of queued) socket.destroy();
      void thread.terminate();
    },
  };
}

async function dial(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  await within('a connection', once(socket, 'connect'));
  return socket;
}
