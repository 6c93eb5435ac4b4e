/** One end of a TCP connection on which everything is written and read as bytes. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from '../deadline.ts';
import { decodeFrame, type Frame } from '../websocket/raw-frames.ts';

/** An HTTP head as it was received. */
export interface RawHead {
  readonly startLine: string;
  /** Names as they were written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    this.closed = new Promise((settle) => {
      for (const event of ['end', 'close']) {
        socket.once(event, () => {
          this.#ended = true;
          this.#wake();
          settle();
        });
      }
    });
  }

  /**
   * @param address `host:port`
   * @param localAddress the client's; null for the system's choice
   */
  static async connect(address: string, localAddress: string | null = null): Promise<RawConnection> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const connection = new RawConnection(
      connect({
        host: hostname,
        port: Number(port),
        noDelay: true,
        ...(localAddress === null ? {} : { localAddress }),
      }),
    );
    await within(
      'the connection',
      new Promise<void>((settle, fail) => {
        connection.socket.once('connect', settle);
        connection.socket.once('error', fail);
      }),
    );
    return connection;
  }

  /** Does the same by TLS, and trusts every certificate. */
  static async connectTls(address: string): Promise<RawConnection> {
    const { hostname, port } = new URL(`tcp://${address}`);
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
    socket.setNoDelay();
    const connection = new RawConnection(socket);
    await within(
      'the handshake',
      new Promise<void>((settle, fail) => {
        socket.once('secureConnect', settle);
        socket.once('error', fail);
      }),
    );
    return connection;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Reads an HTTP head and the empty line that ends it. */
  async head(): Promise<RawHead> {
    const text = await this.#read('a head', (received) => {
      const end = received.indexOf('\r\n\r\n');
      return end < 0 ? null : { item: received.toString('latin1', 0, end), length: end + 4 };
    });
    const [startLine = '', ...lines] = text.split('\r\n');
    const headers = lines.map((line): readonly [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
    return { startLine, headers };
  }

  async bytes(length: number): Promise<Buffer> {
    return this.#read(`${length} bytes`, (received) =>
      received.length < length ? null : { item: Buffer.from(received.subarray(0, length)), length },
    );
  }

  async frame(): Promise<Frame> {
    return this.#read('a frame', (received) => {
      const decoded = decodeFrame(received);
      return decoded === null ? null : { item: decoded.frame, length: decoded.length };
    });
  }

  /** Everything that still comes until the peer closes. */
  async rest(): Promise<Buffer> {
    await within('the end of the connection', this.closed);
    const rest = this.#received;
    this.#received = Buffer.alloc(0);
    return rest;
  }

  /** One reader at a time. */
  #read<T>(what: string, take: (received: Buffer) => { item: T; length: number } | null): Promise<T> {
    const item = new Promise<T>((settle, fail) => {
      this.#wake = () => {
        const taken = take(this.#received);
        if (taken !== null) {
          this.#wake = () => undefined;
          this.#received = this.#received.subarray(taken.length);
          settle(taken.item);
        } else if (this.#ended) {
          const start = JSON.stringify(this.#received.toString('latin1', 0, 200));
          fail(new Error(`the connection ended before ${what} came; there was ${start}`));
        }
      };
      this.#wake();
    });
    return within(what, item);
  }
}

/** Returns the value of a header, by its name in any case; undefined without one. Throws if there are two. */
export function headerOf(head: RawHead, name: string): string | undefined {
  const values = valuesOf(head, name);
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times`);
  return values[0];
}

/** All values of a name in any case. */
export function valuesOf(head: RawHead, name: string): string[] {
  return head.headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
}

/** Sec-WebSocket-Accept for a head's key (RFC 6455 section 4.2.2). */
export function acceptFor(head: RawHead): string {
  const key = headerOf(head, 'sec-websocket-key') ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** A right 101 for a request. `more` are whole header lines. */
export function switchingProtocols(request: RawHead, more: readonly string[] = []): string {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(request)}`,
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A right opening handshake. `more` are whole header lines. */
export function upgradeRequest(host: string, more: readonly string[] = [], path = '/'): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
