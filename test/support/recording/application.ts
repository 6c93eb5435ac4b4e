/** Servers with various protocols over WebSockets, and their usual clients. Tests record and replay them. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Application {
  readonly name: string;
  /** `host:port` of the server. */
  readonly address: string;
  /** The path of its WebSockets. */
  readonly path: string;
  /**
   * Runs one short conversation of a client, and closes its WebSocket cleanly. Throws if an answer is wrong.
   *
   * @param address `host:port` of the server, or of a proxy before it
   */
  converse(address: string): Promise<void>;
  /** Forgets earlier conversations. Undefined for a server that remembers none. */
  readonly forget?: () => void;
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
