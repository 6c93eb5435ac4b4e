import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import {
  Outbox,
  SLAB_BYTES,
  type OutboxSender,
} from '../../../../../src/l7/websocket/message-relay/outbox.ts';
import type { SendSource } from '../../../../../src/transport/channel.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../../../src/wire/frames/opcodes.ts';
import { decodeFrame } from '../../../../support/websocket/raw-frames.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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

  sendFrom(source: SendSource, start: number, end: number): number {
    return this.fd < 0 || this.writableLength > 0 ? 0 : source.send(this.fd, start, end);
  }

  writeCopy(bytes: Uint8Array): boolean {
    this.chunks.push(Buffer.from(bytes));
    if (this.#waits) this.writableLength += bytes.length;
    return true;
  }
}

function noted(socket: NotedSocket, upstreamBuffer = Infinity): OutboxSender {
  return { upstream: socket as unknown as UpstreamSocket, upstreamBuffer, upstreamBlocked: () => undefined };
}

describe('the writes of an outbox', () => {
  const outbox = (): Outbox => new Outbox({ bytes: Buffer.alloc(SLAB_BYTES), send: () => -1 }, setImmediate);
  const small = Buffer.from('small');

  it('combine consecutive small frames into one, at the end of the turn', async () => {
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

  it('happen at once with a large message or a flush, in order', () => {
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

  it('use the system call only if nothing is queued and the descriptor is still theirs', () => {
    const calls: string[] = [];
    const bytes = Buffer.alloc(SLAB_BYTES);
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

  it('accept any frame except a close frame only if the queue has room', () => {
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

  it('report how much of a large message will wait, and queue nothing after the sender is closed', () => {
    const box = outbox();
    const payload = Buffer.alloc(4 * SLAB_BYTES, 'x');
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
      const queued = closes ? SLAB_BYTES - 2 : whole;
      assert.deepEqual(told, [whole, queued]);
      assert.equal(socket.writableLength, queued);
    }
  });

  it('keep a large message whole if its sender closes other sessions in between', () => {
    const box = outbox();
    const socket = new NotedSocket(true);
    const other = new NotedSocket();
    const payload = randomBytes(2 * SLAB_BYTES);
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

  it('do not read a payload after making room for it has closed its sender', () => {
    const slab = { bytes: Buffer.alloc(SLAB_BYTES), send: () => -1 };
    const box = new Outbox(slab, setImmediate);
    const [first, second] = [new NotedSocket(true), new NotedSocket()];
    // More sessions are closed when the bytes of one have to wait.
    const closes = { ...noted(first), upstreamBlocked: () => void (second.destroyed = true) };
    for (let count = 0; count < 20; count++) box.send(closes, OPCODE_BINARY, Buffer.alloc(10_000), 0);
    const payload = Buffer.alloc(100_000, 'x');
    assert.equal(box.send(noted(second), OPCODE_BINARY, payload, 0), true);
    assert.ok(second.destroyed);
    assert.ok(!slab.bytes.includes('x'));
    assert.deepEqual(second.chunks, []);
  });
});
