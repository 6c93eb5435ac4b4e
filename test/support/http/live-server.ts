/** An admin server with live frames only, for tests of what reads them. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventRow } from '../../../src/protocol/admin/events.ts';
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';
import { liveFrame } from './live-frame.ts';

const PERIOD_MS = 100;

/** Sends a frame of each next second ten times a second. */
export class LiveServer {
  /** Changes what the next frames say. */
  change: Partial<LiveFrame> = {};
  /** The answer of `GET /events`. */
  events: readonly EventRow[] = [];
  readonly #server: Server;
  readonly #readers = new Set<ServerResponse>();
  readonly #timer: NodeJS.Timeout;
  #second = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.#timer = setInterval(() => this.#send(), PERIOD_MS);
    server.on('request', (request, response) => {
      if (request.url === '/live') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 1000\n\n');
        this.#readers.add(response);
        response.on('close', () => this.#readers.delete(response));
      } else if (request.url?.startsWith('/events') === true) {
        const page = { events: this.events, last: this.events.length, suppressed: 0 };
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(page));
      } else response.writeHead(404).end('no such path\n');
    });
  }

  /** @param port 0 for any */
  static async start(port = 0): Promise<LiveServer> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new LiveServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of open streams. */
  get readers(): number {
    return this.#readers.size;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #send(): void {
    const frame = JSON.stringify(liveFrame(this.#second++, this.change));
    for (const reader of this.#readers) reader.write(`data: ${frame}\n\n`);
  }
}
