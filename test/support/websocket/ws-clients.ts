/** WebSocket clients of one test, closed behind it. */
import { WsClient } from './ws-client.ts';

export class WsClients {
  readonly #clients: WsClient[] = [];

  /** Opens a client at a port of 127.0.0.1. */
  async open(port: number, protocols: readonly string[] = [], path = '/'): Promise<WsClient> {
    const client = await WsClient.connect(`ws://127.0.0.1:${port}${path}`, protocols);
    this.#clients.push(client);
    return client;
  }

  /** Closes all clients, and waits for their ends. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.close();
    await Promise.all(this.#clients.splice(0).map((client) => client.closed()));
  }
}
