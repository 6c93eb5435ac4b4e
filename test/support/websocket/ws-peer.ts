/** One end of a WebSocket of the library `ws`, client or server, that keeps its messages. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { Arrivals, within } from '../deadline.ts';

export interface PeerMessage {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

export interface PeerClose {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectOptions extends ClientOptions {
  /** The name to ask for and to verify, over TLS. */
  readonly servername?: string;
  readonly subprotocols?: readonly string[];
}

export class WsPeer {
  readonly socket: WebSocket;
  readonly messages = new Arrivals<PeerMessage>('a message');
  readonly pings = new Arrivals<Buffer>('a ping');
  readonly pongs = new Arrivals<Buffer>('a pong');
  /** The headers of the request (endpoint) or of the 101 (client). */
  headers: IncomingHttpHeaders = {};
  /** The request's path and query; empty for a client. */
  readonly url: string;
  readonly #closed: Promise<PeerClose>;

  constructor(socket: WebSocket, request: IncomingMessage | null = null) {
    this.socket = socket;
    this.url = request?.url ?? '';
    if (request !== null) this.headers = request.headers;
    socket.binaryType = 'nodebuffer';
    socket.on('error', () => undefined);
    socket.on('upgrade', (response) => (this.headers = response.headers));
    socket.on('message', (data, isBinary) => this.messages.push({ data: data as Buffer, isBinary }));
    socket.on('ping', (data) => this.pings.push(data));
    socket.on('pong', (data) => this.pongs.push(data));
    this.#closed = new Promise((settle) => {
      socket.once('close', (code, reason) => {
        for (const arrivals of [this.messages, this.pings, this.pongs]) arrivals.end(`closed with ${code}`);
        settle({ code, reason: reason.toString() });
      });
    });
  }

  /** Resolves when the WebSocket is open; rejects with what stood in the way. */
  static async connect(url: string, options: ConnectOptions = {}): Promise<WsPeer> {
    const { subprotocols = [], ...others } = options;
    const peer = new WsPeer(new WebSocket(url, [...subprotocols], { perMessageDeflate: false, ...others }));
    const opened = new Promise<void>((settle, fail) => {
      peer.socket.once('open', settle);
      peer.socket.once('error', fail);
    });
    try {
      await within('the 101', opened);
    } catch (error) {
      peer.socket.terminate();
      throw error;
    }
    return peer;
  }

  /** How the WebSocket closed. */
  closed(deadlineMs?: number): Promise<PeerClose> {
    return within('the close', this.#closed, deadlineMs);
  }
}

/** An endpoint made with `ws`. */
export class WsEndpoint {
  readonly sessions = new Arrivals<WsPeer>('a session at the endpoint');
  readonly #server: WebSocketServer;
  readonly #http: Server | null;

  private constructor(options: ServerOptions, http: Server | null) {
    this.#http = http;
    this.#server = new WebSocketServer({ perMessageDeflate: false, ...options });
    this.#server.on('connection', (socket, request) => this.sessions.push(new WsPeer(socket, request)));
  }

  /** Listens on a free port, or on an HTTP or HTTPS server that does not listen yet. */
  static async listen(options: ServerOptions = {}, http: Server | null = null): Promise<WsEndpoint> {
    if (http === null) {
      const endpoint = new WsEndpoint({ host: '127.0.0.1', port: 0, ...options }, null);
      await new Promise<void>((settle) => endpoint.#server.once('listening', settle));
      return endpoint;
    }
    const endpoint = new WsEndpoint({ server: http, ...options }, http);
    await new Promise<void>((settle) => http.listen(0, '127.0.0.1', settle));
    return endpoint;
  }

  /** The next session. */
  session(): Promise<WsPeer> {
    return this.sessions.next();
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.sessions.end('closed');
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    this.#http?.close();
  }
}
