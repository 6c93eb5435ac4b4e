/** An admin server with taps only, for tests of what reads them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TapRecord } from '../../../src/wire/recording/records.ts';
import { eventually } from '../deadline.ts';

const AT = Date.UTC(2030, 0, 1, 12);
const PLACE = { listener: 'web', cluster: 'app', endpoint: '10.0.0.11:9001', client: '192.0.2.7' } as const;

/** The first line of a tap. */
export const TAP_HEADER: TapRecord = {
  type: 'tap',
  version: 1,
  at: AT,
  sluice: '0.1.0',
  filter: {},
  sample: 1,
  payload: true,
  maxPayload: 4096,
  redact: [],
};

/** The line of a session that opens. */
export function openedRecord(session: string): TapRecord {
  const request = { target: '/chat', headers: [['host', 'chat.example'] as const] };
  const who = { route: 'chat', principal: 'jwt:alice' };
  return { type: 'session', at: AT, openedAt: AT, session, ...PLACE, ...who, request };
}

/** The line of a text frame of the client's. */
export function textRecord(session: string, text: string): TapRecord {
  const length = Buffer.byteLength(text);
  return { type: 'frame', at: AT, session, from: 'client', opcode: 'text', length, text };
}

export class TapServer {
  /** Answers every tap with this status and message; null to begin taps. */
  refusal: { readonly status: number; readonly message: string } | null = null;
  /** The paths of the taps that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #readers = new Set<ServerResponse>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<TapServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TapServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The number of taps that run. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Waits for a number of taps. */
  async has(readers: number): Promise<void> {
    await eventually(() => {
      if (this.#readers.size !== readers) throw new Error(`${this.#readers.size} taps run, not ${readers}`);
    });
  }

  /** Sends records to all taps. Returns whether all have taken what came before. */
  send(...records: readonly TapRecord[]): boolean {
    return this.sendText(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  /** Sends a text as it is, such as a part of a line. */
  sendText(text: string): boolean {
    return [...this.#readers].map((reader) => reader.write(text)).every(Boolean);
  }

  /** Ends all taps cleanly, or cuts their connections. */
  endTaps(how: 'end' | 'cut'): void {
    for (const reader of this.#readers) {
      if (how === 'end') reader.end();
      else reader.destroy();
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${method ?? ''} ${url}`);
    if (this.refusal !== null) {
      const { status, message } = this.refusal;
      const body = JSON.stringify({ status, message });
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(TAP_HEADER)}\n`);
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }
}
