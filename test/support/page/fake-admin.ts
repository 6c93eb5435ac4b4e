/** An admin server whose frames and answers a test decides. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PageFile } from '../../../src/primary/admin/pages/page-file.ts';
import type { LiveFrame } from '../../../src/protocol/admin/live.ts';

interface FakeAnswer {
  readonly status: number;
  readonly body: object;
}

export class FakeAdmin {
  /** The answer to `GET /live` in place of the stream; null for the stream. */
  refusal: FakeAnswer | null = null;
  /** Answers by method and path without its query: `GET /events`. */
  readonly answers = new Map<string, FakeAnswer | ((url: URL) => FakeAnswer)>();
  /** All requests, as `GET /status`. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #page = new PageFile();
  readonly #streams = new Set<ServerResponse>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async listen(): Promise<FakeAdmin> {
    const admin = new FakeAdmin();
    admin.#server.listen(0, '127.0.0.1');
    await once(admin.#server, 'listening');
    return admin;
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Number of open streams. */
  get readers(): number {
    return this.#streams.size;
  }

  /** Sends a frame to all readers. Resolves when they can take the next one. */
  async push(frame: LiveFrame | string): Promise<void> {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    for (const stream of this.#streams) {
      if (
        !stream.write(`data: ${text}

`)
      )
        await drained(stream);
    }
  }

  /** Ends all streams. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const target = new URL(url, 'http://localhost');
    const name = `${method} ${target.pathname}`;
    this.asked.push(name);
    if (name === 'GET /') {
      const socket = { remoteAddress: '127.0.0.1' };
      const page = await this.#page.answer({
        method,
        url,
        httpVersion: '1.1',
        headers,
        headersDistinct: {},
        socket,
      });
      response.writeHead(page.status, { 'Content-Type': page.type, ...page.headers }).end(page.body);
    } else if (name === 'GET /live' && this.refusal === null) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      this.#streams.add(response);
      response.once('close', () => this.#streams.delete(response));
    } else {
      const found = name === 'GET /live' ? this.refusal : this.answers.get(name);
      const { status, body } = (typeof found === 'function' ? found(target) : found) ?? missing;
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    }
  }
}

const missing: FakeAnswer = {
  status: 404,
  body: { status: 404, message: 'no page or command at this path' },
};

/** Resolves when a stream takes more bytes, or is closed. */
function drained(stream: ServerResponse): Promise<void> {
  return new Promise((settle) => {
    const end = (): void => {
      stream.off('drain', end).off('close', end);
      settle();
    };
    stream.on('drain', end).on('close', end);
  });
}
