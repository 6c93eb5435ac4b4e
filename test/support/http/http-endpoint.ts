/** An endpoint on Node's HTTP server, and one request to a proxy by Node's client. */
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { within } from '../deadline.ts';

export class HttpEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(listener: RequestListener): Promise<HttpEndpoint> {
    const server = createServer(listener);
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    return new HttpEndpoint(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes requests for an upgrade, which Node would treat as plain requests. */
  onUpgrade(take: () => void): void {
    this.#server.on('upgrade', take);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Asks on a new connection, and waits for the whole answer. */
export async function ask(url: string, question: Question = {}): Promise<Answer> {
  const response = await begin(url, question);
  const body = await within('the body', buffer(response));
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** Asks on a new connection, and waits for the head of the answer. */
export function begin(
  url: string,
  { method = 'GET', headers = {}, body = '' }: Question = {},
): Promise<IncomingMessage> {
  const response = new Promise<IncomingMessage>((settle, fail) => {
    const request = httpRequest(url, { method, headers, agent: false }, settle);
    request.once('error', fail);
    request.end(body);
  });
  return within('the response', response);
}
