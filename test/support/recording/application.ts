/** Servers that speak protocols of their own over WebSockets, with the clients that people use: to be recorded and replayed. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Application {
  readonly name: string;
  /** `host:port` of the server. */
  readonly address: string;
  /** The path of its WebSockets. */
  readonly path: string;
  /**
   * Lets one client have a short conversation, and close its WebSocket in good order. Throws if an answer is wrong.
   *
   * @param address `host:port` of the server, or of a proxy before it
   */
  converse(address: string): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. Returns `host:port`. */
export async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Cuts all connections of a server, and ends it. */
export async function endServer(server: Server): Promise<void> {
  const ended = new Promise((settle) => server.close(settle));
  server.closeAllConnections();
  await ended;
}
