/** Servers behind the examples. They report what reached them. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request as requestOverTls } from 'node:https';
import { request, type RequestOptions } from 'node:http';
import { once } from 'node:events';
import { WebSocket, WebSocketServer, type ClientOptions } from 'ws';

/** A request or handshake, as a server got it. */
export interface Seen {
  /** `host:port` of the server. */
  readonly server: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Starts a server for requests and WebSockets. It answers a request with a {@link Seen} in JSON, and sends one as the
 * first message of a WebSocket. It echoes all messages.
 *
 * @param answer replaces the answer to plain requests
 */
export async function startServer(
  host: string,
  port: number,
  answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string> } = () => ({
    status: 200,
  }),
): Promise<Server> {
  const see = ({ url = '', headers }: IncomingMessage): string =>
    JSON.stringify({ server: `${host}:${port}`, url, headers } satisfies Seen);
  const server = createServer((request, response) => {
    const { status, headers } = answer(request);
    response.writeHead(status, headers).end(see(request));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.send(see(request));
  });
  server.listen(port, host);
  await once(server, 'listening');
  // The tests end by themselves.
  server.unref();
  return server;
}

export interface OpenSocket {
  readonly socket: WebSocket;
  readonly seen: Seen;
}

/** Opens a WebSocket and waits for the server's first message. @throws Error with the status of a refusal */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<OpenSocket> {
  const socket = new WebSocket(url, options);
  const [data] = (await once(socket, 'message')) as [Buffer];
  return { socket, seen: JSON.parse(data.toString()) as Seen };
}

/** Resolves with the status of a refused handshake. @throws Error if the WebSocket opens */
export function refusedStatus(url: string, options: ClientOptions = {}): Promise<number> {
  return new Promise((settle, fail) => {
    const socket = new WebSocket(url, options);
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      settle(response.statusCode ?? 0);
    });
    socket.once('open', () => {
      socket.terminate();
      fail(new Error(`${url} was not refused`));
    });
    socket.once('error', fail);
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends a GET. Does not follow redirects. */
export async function get(
  url: string,
  options: RequestOptions & { readonly ca?: string } = {},
): Promise<Answer> {
  const send = url.startsWith('https:') ? requestOverTls : request;
  const sent = send(url, { agent: false, ...options }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** Returns what the server that answered has seen. */
export function seenIn({ body }: Answer): Seen {
  return JSON.parse(body) as Seen;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
