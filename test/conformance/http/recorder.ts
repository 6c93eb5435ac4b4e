/** An endpoint that keeps what it gets, byte for byte, and answers each request with its own first line. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)(?=\r\n)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked(?=\r\n)/i;

export class Recorder {
  /** Whole requests since the last {@link clear}. */
  requests: string[] = [];
  readonly #server: Server;
  readonly #unfinished = new Map<Socket, string>();

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#unfinished.set(socket, '');
      socket.on('error', () => undefined);
      socket.on('close', () => this.#unfinished.delete(socket));
      socket.on('data', (bytes) => this.#take(socket, bytes.toString('latin1')));
    });
  }

  static async listen(): Promise<Recorder> {
    const recorder = new Recorder();
    await new Promise<void>((settle) => recorder.#server.listen(0, '127.0.0.1', settle));
    return recorder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes on open connections that are not yet a whole request. */
  get unfinished(): string[] {
    return [...this.#unfinished.values()].filter((text) => text !== '');
  }

  clear(): void {
    this.requests = [];
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#unfinished.keys()) socket.destroy();
  }

  #take(socket: Socket, text: string): void {
    let rest = (this.#unfinished.get(socket) ?? '') + text;
    for (let length = lengthOf(rest); length !== null; length = lengthOf(rest)) {
      const whole = rest.slice(0, length);
      rest = rest.slice(length);
      this.requests.push(whole);
      const line = whole.slice(0, whole.indexOf('\r\n'));
      const body = line.startsWith('HEAD ') ? '' : line;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${body}`, 'latin1');
    }
    this.#unfinished.set(socket, rest);
  }
}

/** How long the request is that a text begins with; null where it is not whole. */
function lengthOf(text: string): number | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end + 2);
  const body = end + 4;
  if (CHUNKED.test(head)) return lengthOfChunks(text, body);
  const length = body + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
  return text.length >= length ? length : null;
}

function lengthOfChunks(text: string, start: number): number | null {
  for (let at = start; ;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = Number.parseInt(text.slice(at, end), 16);
    if (size === 0) {
      // The empty line behind the last chunk, or behind its trailers.
      const last = text.indexOf('\r\n\r\n', end);
      return last < 0 ? null : last + 4;
    }
    at = end + 2 + size + 2;
    if (text.length < at) return null;
  }
}
