/** A server for HTTP and WebSockets, made with `ws`, that falls ill in one way or another, and gets well again. */
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { freePorts } from '../sockets/free-port.ts';

/**
 * Conditions other than `well`:
 *
 * - `silent` accepts connections and says nothing
 * - `resets` cuts connections at once
 * - `destroys` cuts connections after an upgrade request
 * - `lies` answers upgrades with a wrong 101
 * - `fails` answers 500 to all requests
 * - `deaf` does the handshake and answers no ping
 */
type Condition = 'well' | 'silent' | 'resets' | 'destroys' | 'lies' | 'fails' | 'deaf';

export class FickleEndpoint {
  /** Applies to new connections, and to new bytes on open ones. */
  condition: Condition = 'well';
  /** Handshakes that were answered with 101. */
  sessions = 0;
  /** The close codes of WebSockets, probes included. */
  readonly closeCodes: number[] = [];
  /** `host:port` */
  readonly address: string;
  readonly #port: number;
  readonly #http: HttpServer;
  readonly #open = new Set<Socket>();
  #server: Server;

  private constructor(port: number) {
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
    this.#http = createHttpServer((_, response) => {
      response.writeHead(this.condition === 'fails' ? 500 : 200).end('answer');
    });
    const sockets = new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false });
    sockets.on('connection', (socket) => {
      this.sessions++;
      socket.on('error', () => undefined);
      socket.on('close', (code) => this.closeCodes.push(code));
      socket.on('ping', (data) => {
        if (this.condition !== 'deaf') socket.pong(data);
      });
      socket.on('message', (data) => socket.send(data));
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (this.condition === 'destroys') {
        socket.destroy();
      } else if (this.condition === 'lies') {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      } else if (this.condition === 'fails') {
        socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      } else {
        sockets.handleUpgrade(request, socket, head, (made) => sockets.emit('connection', made, request));
      }
    });
    this.#server = this.#create();
  }

  static async listen(): Promise<FickleEndpoint> {
    const [port] = await freePorts(1);
    const endpoint = new FickleEndpoint(port!);
    await endpoint.recover();
    return endpoint;
  }

  /** Refuses new connections, and cuts the open ones. */
  die(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  /** Listens again, on the port that it had, and is well. */
  async recover(): Promise<void> {
    this.condition = 'well';
    if (this.#server.listening) return;
    this.#server = this.#create().listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #create(): Server {
    return createServer((socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      socket.on('error', () => undefined);
      if (this.condition === 'silent') return;
      if (this.condition === 'resets') socket.resetAndDestroy();
      else this.#http.emit('connection', socket);
    });
  }
}
