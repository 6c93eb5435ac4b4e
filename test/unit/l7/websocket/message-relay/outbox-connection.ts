import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach } from 'node:test';
import type { UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import type { OutboxSender } from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import type { SendSource } from '../../../../../src/transport/channel.ts';
import { eventually, within } from '../../../../support/deadline.ts';
import { decodeFrame } from '../../../../support/websocket/raw-frames.ts';

export interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

function ignore(): void {
  // The tests reset connections themselves.
}

/** One end of a connection over which frames go, and the endpoint at the other end. */
export class Connection implements OutboxSender {
  readonly upstream: UpstreamSocket & Socket;
  upstreamBuffer = Infinity;
  readonly endpoint: Socket;
  /** Times that the outbox has said that bytes wait. */
  blocked = 0;
  onBlocked: (() => void) | null = null;
  #received: Buffer[] = [];

  constructor(client: Socket, endpoint: Socket) {
    const { fd } = (client as unknown as { _handle: { fd: number } })._handle;
    const upstream: UpstreamSocket & Socket & { fd: number } = Object.assign(client, {
      owner: null,
      fd,
      writeCopy: (bytes: Uint8Array) => client.write(Buffer.from(bytes)),
      forward: (input: Buffer, start: number, end: number) =>
        client.write(Buffer.from(input.subarray(start, end))),
      sendFrom: (source: SendSource, start: number, end: number) => {
        const { fd } = upstream;
        return fd < 0 || client.writableLength > 0 ? 0 : Math.max(0, source.send(fd, start, end));
      },
      splice: () => false,
    });
    this.upstream = upstream;
    this.endpoint = endpoint;
    for (const socket of [client, endpoint]) socket.on('error', ignore);
    client.on('close', () => (upstream.fd = -1));
  }

  upstreamBlocked(following: number): void {
    // Before the rest of a large message, and again behind it.
    if (following === 0) this.blocked++;
    this.onBlocked?.();
  }

  /** The endpoint begins to read. */
  read(): this {
    this.endpoint.on('data', (bytes) => this.#received.push(bytes));
    this.endpoint.resume();
    return this;
  }

  /** Messages that the endpoint has got so far. Fails unless they are whole masked frames, up to the last. */
  get messages(): Message[] {
    const messages: Message[] = [];
    let bytes = Buffer.concat(this.#received);
    this.#received = [bytes];
    for (let next = decodeFrame(bytes); next !== null; next = decodeFrame(bytes)) {
      const { fin, reserved, masked, opcode, payload } = next.frame;
      assert.deepEqual({ fin, reserved, masked }, { fin: true, reserved: 0, masked: true });
      messages.push({ opcode, payload });
      bytes = bytes.subarray(next.length);
    }
    return messages;
  }

  async receives(expected: readonly Message[]): Promise<void> {
    const size = expected.reduce((sum, { payload }) => sum + payload.length, 0);
    await eventually(() => assert.ok(this.endpoint.bytesRead >= size));
    const messages = await eventually(() => {
      const found = this.messages;
      assert.ok(found.length >= expected.length, `${found.length} of ${expected.length} messages`);
      return found;
    });
    assert.equal(messages.length, expected.length);
    for (const [index, { opcode, payload }] of expected.entries()) {
      assert.equal(messages[index]!.opcode, opcode, `opcode of message ${index}`);
      assert.ok(messages[index]!.payload.equals(payload), `message ${index} of ${payload.length} bytes`);
    }
  }
}

const open: { destroy(): void }[] = [];
let server: Server | null = null;

/** Opens a connection over TCP. Its endpoint does not read yet. */
export async function connection(): Promise<Connection> {
  if (server === null) {
    server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await within('the server to listen', once(server, 'listening'));
  }
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  open.push(client);
  await within('the connection', once(client, 'connect'));
  const [endpoint] = await within('the connection to be accepted', accepted);
  open.push(endpoint);
  return new Connection(client, endpoint);
}

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  server?.close();
  server = null;
});

/** Makes bytes that differ for each number, so that misplaced bytes show. */
export function payloadOf(number: number, length: number): Buffer {
  const payload = Buffer.alloc(length, `${number}:`);
  if (length >= 8) payload.writeUInt32LE(length, length - 4);
  return payload;
}
