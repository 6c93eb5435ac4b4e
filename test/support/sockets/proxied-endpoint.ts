/**
 * An endpoint of HTTP and WebSocket whose connections begin with PROXY headers. A separate parser reads them.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { WebSocketServer } from 'ws';

/** Facts about the connection of a request, as the endpoint reports them. */
export interface ToldConnection {
  /**
   * `ADDRESS:PORT ADDRESS:PORT` of source and destination, IPv4, and the server name behind them if it was told; `LOCAL`,
   * `UNKNOWN`, or `none` if there was no header.
   */
  readonly told: string;
  /** Number of the connection. */
  readonly connection: number;
  /** Requests on the connection until now, this one included. */
  readonly requests: number;
}

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** Enough of a connection to know that it has no header. */
const DISTINCTIVE = 16;

export class ProxiedEndpoint {
  /** `host:port` */
  readonly address: string;
  /** What each connection was told, in the order in which the headers came. */
  readonly told: string[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** By the port of the proxy. */
  readonly #known = new Map<number, ToldConnection>();

  private constructor(server: Server, tls: TlsOptions | null) {
    this.#server = server;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const http = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.resume();
      request.once('end', () => response.end(JSON.stringify(this.#count(request.socket))));
    });
    const secure = tls && createTlsServer(tls);
    secure?.on('tlsClientError', () => undefined);
    secure?.on('secureConnection', (socket) => http.emit('connection', socket));
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket, request) => {
      socket.on('error', () => undefined);
      socket.send(JSON.stringify(this.#count(request.socket)));
    });
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#open.delete(socket));
      void readHeader(socket).then((told) => {
        if (told === null) {
          socket.destroy();
          return;
        }
        const { remotePort } = socket;
        this.#known.set(remotePort!, { told, connection: this.told.push(told), requests: 0 });
        (secure ?? http).emit('connection', socket);
      });
    });
  }

  /** @param tls for what follows the header; null for plain HTTP */
  static async listen(tls: TlsOptions | null = null): Promise<ProxiedEndpoint> {
    const server = createServer({ noDelay: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ProxiedEndpoint(server, tls);
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Counts a request. Returns null if its connection has already broken, and so has no port: a probe leaves early. */
  #count({ remotePort }: Socket): ToldConnection | null {
    const before = this.#known.get(remotePort ?? 0);
    if (before === undefined) return null;
    const known = { ...before, requests: before.requests + 1 };
    this.#known.set(remotePort!, known);
    return known;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

/** Reads the header byte by byte, and nothing behind it. Returns null if the connection ends before. */
async function readHeader(socket: Socket): Promise<string | null> {
  let text = '';
  for (;;) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) {
      if (socket.readableEnded || socket.destroyed) return null;
      await Promise.race([once(socket, 'readable'), once(socket, 'close')]).catch(() => undefined);
      continue;
    }
    text += byte.toString('latin1');
    const told = parse(text);
    if (told === null) continue;
    if (told === 'none') socket.unshift(Buffer.from(text, 'latin1'));
    return told;
  }
}

/** Returns null as long as the header is not whole. */
function parse(text: string): string | null {
  if (text.length < DISTINCTIVE && (SIGNATURE.startsWith(text) || text.startsWith(SIGNATURE))) return null;
  if (text.startsWith(SIGNATURE)) return parseVersion2(Buffer.from(text, 'latin1'));
  if ('PROXY '.startsWith(text)) return null;
  if (!text.startsWith('PROXY ')) return text.length < DISTINCTIVE ? null : 'none';
  if (!text.endsWith('\r\n')) return null;
  const [, , source = '', destination = '', from = '', to = ''] = text.trim().split(' ');
  return text === 'PROXY UNKNOWN\r\n' ? 'UNKNOWN' : `${source}:${from} ${destination}:${to}`;
}

function parseVersion2(header: Buffer): string | null {
  const length = header.readUInt16BE(14);
  if (header.length < 16 + length) return null;
  if (header[12] === 0x20) return 'LOCAL';
  const [from, to] = [header.subarray(16, 20).join('.'), header.subarray(20, 24).join('.')];
  const ends = `${from}:${header.readUInt16BE(24)} ${to}:${header.readUInt16BE(26)}`;
  // The server name (PP2_TYPE_AUTHORITY) is the only field that may follow.
  return header[28] === 2 ? `${ends} ${header.toString('utf8', 31, 31 + header.readUInt16BE(29))}` : ends;
}
