import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import {
  Outbox,
  SLAB_SIZE,
  type OutboxSender,
} from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import type { UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import { PinnedBuffer } from '../../../../../src/sys/memory/pinned-buffer.ts';
import { unsupportedReason } from '../../../../../src/sys/support.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../../../src/wire/frames/opcodes.ts';
import { eventually, within } from '../../../../support/deadline.ts';
import { decodeFrame } from '../../../../support/websocket/raw-frames.ts';

type Slab = ConstructorParameters<typeof Outbox>[0];

/** A slab whose system call takes at most so many bytes at once. */
function reluctantSlab(most: number): Slab {
  const bytes = Buffer.alloc(SLAB_SIZE);
  return {
    bytes,
    send: (fd, start, end) => {
      try {
        return writeSync(fd, bytes, start, Math.min(end - start, most));
      } catch {
        return -11;
      }
    },
  };
}

const slabs: Readonly<Record<string, (() => Slab) | null>> = {
  'the streams of Node': () => ({ bytes: Buffer.alloc(SLAB_SIZE), send: () => -1 }),
  'a system call': unsupportedReason() === null ? () => new PinnedBuffer(SLAB_SIZE) : null,
  'a system call that takes little': () => reluctantSlab(1000),
};

interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

function ignore(): void {
  // What a peer does to its connection is the test's own doing.
}

/** One end of a connection over which frames go, and the endpoint at the other end. */
class Connection implements OutboxSender {
  readonly upstream: UpstreamSocket & Socket;
  upstreamBuffer = Infinity;
  readonly endpoint: Socket;
  /** How often the outbox has said that bytes wait. */
  blocked = 0;
  onBlocked: (() => void) | null = null;
  #received: Buffer[] = [];

  constructor(client: Socket, endpoint: Socket) {
    const { fd } = (client as unknown as { _handle: { fd: number } })._handle;
    const upstream = Object.assign(client, {
      owner: null,
      fd,
      writeCopy: (bytes: Uint8Array) => client.write(Buffer.from(bytes)),
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

  /** What the endpoint has got so far; fails where it is not made of whole masked frames, save for the last. */
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

/** A connection over TCP of which the endpoint does not read yet. */
async function connection(): Promise<Connection> {
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

/** Bytes that are different for each number, so that what is out of place shows. */
function payloadOf(number: number, length: number): Buffer {
  const payload = Buffer.alloc(length, `${number}:`);
  if (length >= 8) payload.writeUInt32LE(length, length - 4);
  return payload;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const SIZES = [0, 1, 7, 125, 126, 1000, 16_000, 16_384, 20_000, 65_535, 65_536, 100_001];

for (const [way, create] of Object.entries(slabs)) {
  describe(`an outbox over ${way}`, { skip: create === null ? 'not supported here' : false }, () => {
    const outbox = (): Outbox => new Outbox(create!(), setImmediate);

    it('delivers the frames of a sender in their order, whatever their size and mask', async () => {
      const box = outbox();
      const sender = (await connection()).read();
      const sent: Message[] = [];
      for (const mask of [0, 0x12345678, -5]) {
        for (const [index, size] of SIZES.entries()) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(index, size) };
          box.send(sender, message.opcode, message.payload, mask);
          sent.push(message);
        }
      }
      for (const opcode of [OPCODE_TEXT, OPCODE_PING, OPCODE_CLOSE]) {
        const message = { opcode, payload: Buffer.from('ok') };
        box.send(sender, opcode, message.payload, 77);
        sent.push(message);
      }
      await sender.receives(sent);
    });

    it('delivers a message larger than its slab, with a mask and without', async () => {
      const box = outbox();
      const sender = await connection();
      const sent: Message[] = [];
      for (const [index, size] of [
        SLAB_SIZE - 15,
        SLAB_SIZE - 14,
        SLAB_SIZE - 13,
        SLAB_SIZE,
        SLAB_SIZE + 1,
        3 * SLAB_SIZE + 3,
      ].entries()) {
        for (const mask of [0, 0x01020304]) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(index, size) };
          box.send(sender, OPCODE_TEXT, Buffer.from('before'), mask);
          box.send(sender, message.opcode, message.payload, mask);
          box.send(sender, OPCODE_TEXT, Buffer.from('behind'), mask);
          sent.push({ opcode: OPCODE_TEXT, payload: Buffer.from('before') }, message, {
            opcode: OPCODE_TEXT,
            payload: Buffer.from('behind'),
          });
        }
      }
      await sender.read().receives(sent);
    });

    it('keeps the frames of several senders apart, each in its order', async () => {
      const box = outbox();
      const senders = [(await connection()).read(), (await connection()).read(), (await connection()).read()];
      const sent = senders.map((): Message[] => []);
      for (let number = 0; number < 600; number++) {
        const to = (number * number) % 3 === 0 ? 0 : number % 3;
        const size = number % 50 === 0 ? 30_000 : (number * 37) % 900;
        const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, size) };
        box.send(senders[to]!, message.opcode, message.payload, number % 2 === 0 ? 0 : number * 7_654_321);
        sent[to]!.push(message);
        if (number % 97 === 0) await turn();
      }
      for (const [index, sender] of senders.entries()) await sender.receives(sent[index]!);
    });

    it('changes no byte that waits for an endpoint that does not read', async () => {
      const box = outbox();
      const slow = await connection();
      const fast = (await connection()).read();
      const sentSlow: Message[] = [];
      const sentFast: Message[] = [];
      const sizes = [10, 300, 4000, 15_000, 40_000];
      let stuck = 0;
      // Some of it after the kernel's buffers are full, so that it waits here.
      for (let number = 0; stuck < 200; number++) {
        const size = sizes[number % sizes.length]!;
        const mask = number % 3 === 0 ? 0 : number * 1_234_567;
        const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, size) };
        box.send(slow, message.opcode, message.payload, mask);
        sentSlow.push(message);
        if (slow.upstream.writableLength > 0) stuck++;
        const other = { opcode: OPCODE_TEXT, payload: payloadOf(number, 100) };
        box.send(fast, other.opcode, other.payload, mask);
        sentFast.push(other);
        if (number % 10 === 0) await turn();
        assert.ok(number < 5000, 'the kernel takes everything');
      }
      assert.ok(slow.blocked > 100);
      await fast.receives(sentFast);
      await slow.read().receives(sentSlow);
    });

    it('says each time that bytes wait, and how many', async () => {
      const box = outbox();
      const sender = await connection();
      const payload = payloadOf(1, 60_000);
      for (let count = 0; sender.blocked === 0; count++) {
        box.send(sender, OPCODE_BINARY, payload, 0);
        assert.ok(count < 1000, 'the kernel takes everything');
      }
      const waiting = sender.upstream.writableLength;
      assert.ok(waiting > 0 && waiting <= payload.length + 14);
      box.send(sender, OPCODE_BINARY, payload, 0);
      assert.equal(sender.blocked, 2);
      box.send(sender, OPCODE_BINARY, Buffer.alloc(10), 0);
      box.flush();
      assert.equal(sender.blocked, 3);
      assert.equal(sender.upstream.writableLength, waiting + 60_008 + 16);
    });

    it('says nothing while the endpoint takes everything', async () => {
      const box = outbox();
      const sender = (await connection()).read();
      for (let number = 0; number < 20; number++) box.send(sender, OPCODE_TEXT, payloadOf(number, 30), 0);
      box.flush();
      await eventually(() => assert.equal(sender.messages.length, 20));
      if (way !== 'a system call that takes little') assert.equal(sender.blocked, 0);
      assert.equal(sender.upstream.writableLength, 0);
    });

    it('drops what is for a socket that is destroyed or has been ended, and nothing else', async () => {
      const box = outbox();
      const destroyed = await connection();
      const ended = (await connection()).read();
      const alive = (await connection()).read();
      for (const sender of [destroyed, ended, alive]) box.send(sender, OPCODE_TEXT, Buffer.from('first'), 0);
      box.flush();
      box.send(destroyed, OPCODE_TEXT, Buffer.from('gathered'), 0);
      destroyed.upstream.destroy();
      for (const size of [10, 20_000, SLAB_SIZE + 1]) {
        box.send(destroyed, OPCODE_TEXT, Buffer.alloc(size), 1);
      }
      ended.upstream.end();
      for (const size of [10, 20_000, SLAB_SIZE + 1]) box.send(ended, OPCODE_TEXT, Buffer.alloc(size), 1);
      box.send(alive, OPCODE_TEXT, Buffer.from('second'), 0);
      const expect = (text: string): Message => ({ opcode: OPCODE_TEXT, payload: Buffer.from(text) });
      await alive.receives([expect('first'), expect('second')]);
      await eventually(() => assert.ok(ended.endpoint.readableEnded));
      assert.deepEqual(ended.messages, [expect('first')]);
      assert.deepEqual([destroyed.blocked, ended.blocked], [0, 0]);
    });

    it('survives an endpoint that resets the connection', async () => {
      const box = outbox();
      const reset = await connection();
      const alive = (await connection()).read();
      const closed = new Promise<void>((resolve) => reset.upstream.once('close', () => resolve()));
      reset.endpoint.resetAndDestroy();
      const end = performance.now() + 10_000;
      while (!reset.upstream.destroyed && performance.now() < end) {
        box.send(reset, OPCODE_TEXT, Buffer.alloc(500), 0);
        box.send(reset, OPCODE_TEXT, Buffer.alloc(50_000), 0);
        await turn();
      }
      await within('the reset', closed);
      box.send(alive, OPCODE_TEXT, Buffer.from('still here'), 0);
      await alive.receives([{ opcode: OPCODE_TEXT, payload: Buffer.from('still here') }]);
    });

    for (const flushes of [true, false]) {
      it(`may be used while it says that bytes wait (${flushes ? 'flushed' : 'not flushed'} there)`, async () => {
        const box = outbox();
        const slow = await connection();
        const closing = (await connection()).read();
        const third = (await connection()).read();
        const sentSlow: Message[] = [];
        const sentThird: Message[] = [];
        const bye = { opcode: OPCODE_CLOSE, payload: Buffer.from('bye') };
        slow.onBlocked = () => {
          slow.onBlocked = null;
          box.send(closing, bye.opcode, bye.payload, 5);
          if (flushes) box.flush();
        };
        for (let number = 0; slow.blocked < 20; number++) {
          const message = { opcode: OPCODE_BINARY, payload: payloadOf(number, 15_000) };
          box.send(slow, message.opcode, message.payload, 0);
          sentSlow.push(message);
          // Another sender, so that the flush happens within its send.
          const other = { opcode: OPCODE_TEXT, payload: payloadOf(number, 50) };
          box.send(third, other.opcode, other.payload, 0);
          sentThird.push(other);
          assert.ok(number < 5000, 'the kernel takes everything');
        }
        assert.equal(slow.onBlocked, null);
        await third.receives(sentThird);
        await closing.receives([bye]);
        await slow.read().receives(sentSlow);
      });
    }
  });
}

/** A socket that only notes what is written to it. */
class NotedSocket {
  readonly chunks: Buffer[] = [];
  fd = -1;
  destroyed = false;
  writableEnded = false;
  writableLength = 0;
  /** Whether written bytes wait, as with an endpoint that does not read. */
  readonly #waits: boolean;

  constructor(waits = false) {
    this.#waits = waits;
  }

  writeCopy(bytes: Uint8Array): boolean {
    this.chunks.push(Buffer.from(bytes));
    if (this.#waits) this.writableLength += bytes.length;
    return true;
  }
}

function noted(socket: NotedSocket, upstreamBuffer = Infinity): OutboxSender {
  return { upstream: socket as unknown as UpstreamSocket, upstreamBuffer, upstreamBlocked: ignore };
}

describe('the writes of an outbox', () => {
  const outbox = (): Outbox => new Outbox({ bytes: Buffer.alloc(SLAB_SIZE), send: () => -1 }, setImmediate);
  const small = Buffer.from('small');

  it('are one for all small frames that come in a row, at the end of the turn', async () => {
    const box = outbox();
    const sockets = [new NotedSocket(), new NotedSocket()] as const;
    const senders = [noted(sockets[0]), noted(sockets[1])] as const;
    const sizes = (index: 0 | 1): number[] => sockets[index].chunks.map(({ length }) => length);
    for (const index of [0, 1, 0] as const) {
      for (let count = 0; count < 10; count++) box.send(senders[index], OPCODE_TEXT, small, 0);
    }
    assert.deepEqual([sizes(0), sizes(1)], [[], []]);
    await turn();
    const row = 10 * (6 + small.length);
    assert.deepEqual([sizes(0), sizes(1)], [[row, row], [row]]);
    await turn();
    assert.deepEqual([sizes(0), sizes(1)], [[row, row], [row]]);
    box.send(senders[1], OPCODE_TEXT, small, 0);
    await turn();
    assert.deepEqual(
      [sizes(0), sizes(1)],
      [
        [row, row],
        [row, 6 + small.length],
      ],
    );
  });

  it('come at once with a large message, or a flush, and in order', () => {
    const box = outbox();
    const sockets = [new NotedSocket(), new NotedSocket()] as const;
    const senders = [noted(sockets[0]), noted(sockets[1])] as const;
    const sizes = (index: 0 | 1): number[] => sockets[index].chunks.map(({ length }) => length);
    box.send(senders[0], OPCODE_TEXT, small, 0);
    box.send(senders[1], OPCODE_BINARY, Buffer.alloc(16 * 1024), 0);
    assert.deepEqual([sizes(0), sizes(1)], [[6 + small.length], [8 + 16 * 1024]]);
    box.send(senders[1], OPCODE_TEXT, small, 0);
    box.flush();
    assert.deepEqual(sizes(1), [8 + 16 * 1024, 6 + small.length]);
    box.flush();
    assert.deepEqual([sizes(0).length, sizes(1).length], [1, 2]);
  });

  it('use the system call only where it overtakes nothing and the descriptor is still theirs', () => {
    const calls: string[] = [];
    const bytes = Buffer.alloc(SLAB_SIZE);
    const box = new Outbox(
      {
        bytes,
        send: (fd, start, end) => {
          calls.push(`${fd}: ${bytes.toString('latin1', start, end).slice(-5)}`);
          return end - start;
        },
      },
      setImmediate,
    );
    const send = (socket: NotedSocket, text: string): void => {
      box.send(noted(socket), OPCODE_TEXT, Buffer.from(text), 0);
      box.flush();
    };
    const socket = new NotedSocket();
    socket.fd = 7;
    send(socket, 'first');
    assert.deepEqual(calls, ['7: first']);
    socket.writableLength = 10;
    send(socket, 'later');
    assert.deepEqual(calls, ['7: first']);
    assert.equal(socket.chunks.length, 1);
    socket.writableLength = 0;
    send(socket, 'third');
    assert.deepEqual(calls, ['7: first', '7: third']);
    socket.destroyed = true;
    send(socket, 'never');
    socket.destroyed = false;
    socket.writableEnded = true;
    send(socket, 'never');
    assert.equal(calls.length, 2);
    assert.equal(socket.chunks.length, 1);
  });

  it('take any frame but a close frame only if it has room behind what waits', () => {
    const box = outbox();
    const socket = new NotedSocket(true);
    const sender = noted(socket, 1000);
    // A message that is larger than the bound goes when nothing waits.
    assert.equal(box.send(sender, OPCODE_BINARY, Buffer.alloc(900), 0), true);
    box.flush();
    for (const opcode of [OPCODE_TEXT, OPCODE_BINARY, OPCODE_PING, OPCODE_PONG]) {
      assert.equal(box.send(sender, opcode, Buffer.alloc(100), 0), false);
    }
    box.flush();
    assert.equal(socket.chunks.length, 1);
    assert.equal(box.send(sender, OPCODE_PING, small, 0), true);
    box.flush();
    assert.equal(socket.chunks.length, 2);
    assert.equal(box.send(sender, OPCODE_CLOSE, Buffer.alloc(100), 0), true);
    box.flush();
    assert.equal(socket.chunks.length, 3);
    socket.writableLength = 0;
    assert.equal(box.send(sender, OPCODE_BINARY, Buffer.alloc(5000), 0), true);
  });

  it('tell the sender how much of a large message will wait, and queue none of it once the sender is closed', () => {
    const box = outbox();
    const payload = payloadOf(1, 4 * SLAB_SIZE);
    for (const closes of [true, false]) {
      const socket = new NotedSocket(true);
      const told: number[] = [];
      const sender = {
        ...noted(socket),
        upstreamBlocked: (following: number) => {
          told.push(socket.writableLength + following);
          socket.destroyed = closes;
        },
      };
      assert.equal(box.send(sender, OPCODE_BINARY, payload, 0), true);
      const whole = payload.length + 14;
      // The head of 14 bytes, and whole words behind it.
      const queued = closes ? SLAB_SIZE - 2 : whole;
      assert.deepEqual(told, [whole, queued]);
      assert.equal(socket.writableLength, queued);
    }
  });

  it('keep a large message whole if its sender closes other sessions while it waits', () => {
    const box = outbox();
    const socket = new NotedSocket(true);
    const other = new NotedSocket();
    const payload = payloadOf(1, 2 * SLAB_SIZE);
    const sender = {
      ...noted(socket),
      upstreamBlocked: () => void box.send(noted(other), OPCODE_CLOSE, small, 0),
    };
    box.send(sender, OPCODE_BINARY, payload, 0);
    box.flush();
    const frame = decodeFrame(Buffer.concat(socket.chunks));
    assert.ok(frame?.frame.payload.equals(payload));
    assert.deepEqual(
      other.chunks.map((chunk) => chunk.subarray(6).toString()),
      ['small', 'small'],
    );
  });
});
