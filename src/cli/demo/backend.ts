import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { formatAddress } from '../../core/address.ts';
import type { Address } from '../../core/address.ts';
import { INSPECT_PROTOCOL, inspect } from './inspection.ts';

/** The behaviour of a backend. Several backends may share an app. */
export interface DemoApp {
  readonly name: string;
  /** The body of answers to plain HTTP requests. */
  readonly description: string;
  /** Max bytes of a message. A longer one closes its WebSocket with 1009. */
  readonly maxMessageSize: number;
  /** The subprotocol of the app. If the client does not offer it, its first offer is accepted. */
  readonly subprotocol: string | null;
  /** Takes over an open WebSocket. The backend handles socket errors. A close follows each error. */
  connect(socket: WebSocket, carriers: Carriers): void;
}

/** The part of a WebSocket's way that a demo app knows. */
export interface Carriers {
  readonly endpoint: string;
}

const CLOSE_GRACE_MS = 1000;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;

/**
 * One demo server on one address. It accepts WebSockets on any path and answers plain HTTP with a line of
 * text. A client of the subprotocol `sluice.inspect` gets its own handshake back, whatever the app is.
 */
export class Backend {
  readonly endpoint: string;
  readonly #app: DemoApp;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;

  private constructor(app: DemoApp, address: Address) {
    this.endpoint = formatAddress(address);
    this.#app = app;
    this.#http = createServer(
      { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS, headersTimeout: HEADERS_TIMEOUT_MS },
      (request, response) => this.#answer(request, response),
    );
    this.#webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: app.maxMessageSize,
      perMessageDeflate: false,
      handleProtocols: (offered) => this.#selectSubprotocol(offered),
    });
    this.#webSockets.on('headers', (headers) => headers.push(`X-Demo-Endpoint: ${this.endpoint}`));
    this.#http.on('upgrade', (request, socket, head) => {
      // `handleUpgrade` sets an error handler on the socket first, and refuses all but WebSocket handshakes.
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        // A close follows each error and cleans up.
        webSocket.on('error', () => undefined);
        if (webSocket.protocol === INSPECT_PROTOCOL) this.#describe(webSocket, request);
        else app.connect(webSocket, { endpoint: this.endpoint });
      });
    });
  }

  /**
   * Starts a backend.
   *
   * @throws the system error if it cannot listen on the address
   */
  static async listen(app: DemoApp, address: Address): Promise<Backend> {
    const backend = new Backend(app, address);
    const where =
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
    await new Promise<void>((settle, fail) => {
      backend.#http.once('error', fail);
      backend.#http.listen(where, () => {
        backend.#http.off('error', fail);
        // A failed accept loses one connection. The server keeps running.
        backend.#http.on('error', () => undefined);
        settle();
      });
    });
    return backend;
  }

  /**
   * Closes all WebSockets with 1001 and stops the server. Clients that do not answer the close frame are cut
   * after a second.
   */
  async close(): Promise<void> {
    const closed = new Promise((settle) => this.#http.close(settle));
    for (const socket of this.#webSockets.clients) socket.close(1001, 'demo is stopping');
    const deadline = setTimeout(() => {
      for (const socket of this.#webSockets.clients) socket.terminate();
      this.#http.closeAllConnections();
    }, CLOSE_GRACE_MS);
    await closed;
    clearTimeout(deadline);
  }

  /** Tells a client what arrived of its handshake, and closes its WebSocket. */
  #describe(socket: WebSocket, request: IncomingMessage): void {
    socket.send(JSON.stringify(inspect(request, { app: this.#app.name, endpoint: this.endpoint })));
    socket.close(1000, 'described');
    const deadline = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
    socket.once('close', () => clearTimeout(deadline));
  }

  #selectSubprotocol(offered: ReadonlySet<string>): string | false {
    if (offered.has(INSPECT_PROTOCOL)) return INSPECT_PROTOCOL;
    const { subprotocol } = this.#app;
    if (subprotocol !== null && offered.has(subprotocol)) return subprotocol;
    const [first] = offered;
    return first ?? false;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.setHeader('X-Demo-Endpoint', this.endpoint);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end('GET only\n');
      return;
    }
    response.end(`sluice demo, ${this.#app.name}, endpoint ${this.endpoint}\n${this.#app.description}\n`);
  }
}
