import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { WRITER_SLAB_BYTES } from '../../../../src/l7/buffers/channel-writer.ts';
import type { UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { RequestWriter } from '../../../../src/l7/http/request-writer.ts';
import type { SendSource } from '../../../../src/transport/channel.ts';

/** A socket whose kernel takes as many bytes as it has room for. Further bytes wait. */
class FakeSocket implements UpstreamSocket {
  owner = null;
  readonly #fd: number;
  readonly destroyed = false;
  readonly writableEnded = false;
  room: number;
  readonly #taken: Buffer[] = [];
  readonly #waiting: Buffer[] = [];

  constructor(fd: number, room: number) {
    this.#fd = fd;
    this.room = room;
  }

  get writableLength(): number {
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  /** All that it has been given, in order. */
  get text(): string {
    return Buffer.concat([...this.#taken, ...this.#waiting]).toString('latin1');
  }

  sendFrom(source: SendSource, start: number, end: number): number {
    return this.#fd < 0 || this.#waiting.length > 0 ? 0 : Math.max(0, source.send(this.#fd, start, end));
  }

  /** The kernel takes what it has room for. */
  send(fd: number, bytes: Buffer): number {
    assert.equal(fd, this.#fd);
    assert.equal(this.writableLength, 0, 'what waits is overtaken');
    if (this.room === 0) return -11;
    const part = Buffer.from(bytes.subarray(0, this.room));
    this.room -= part.length;
    this.#taken.push(part);
    return part.length;
  }

  write(bytes: Buffer): boolean {
    this.#waiting.push(bytes);
    return false;
  }

  writeCopy(bytes: Uint8Array): boolean {
    return this.write(Buffer.from(bytes));
  }

  forward(input: Buffer, start: number, end: number): boolean {
    return this.writeCopy(input.subarray(start, end));
  }

  splice(): boolean {
    return false;
  }

  pause(): void {
    assert.fail();
  }
  resume = this.pause.bind(this);
  end = this.pause.bind(this);
  destroy = this.pause.bind(this);
  resetAndDestroy = this.pause.bind(this);
}

function writerTo(socket: FakeSocket): RequestWriter {
  const bytes = Buffer.alloc(WRITER_SLAB_BYTES);
  const send = (fd: number, start: number, end: number): number => {
    return socket.send(fd, bytes.subarray(start, end));
  };
  return new RequestWriter({ bytes, send });
}

describe('a writer of requests', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: WRITER_SLAB_BYTES - 20, max: WRITER_SLAB_BYTES + 20 }),
    fc.integer({ min: 1, max: 4 * WRITER_SLAB_BYTES }),
  );
  const room = fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 5 * WRITER_SLAB_BYTES }));
  const descriptor = fc.constantFrom(7, -1);

  it('writes complete heads and chunks in order, however much the kernel takes', () => {
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 6 }), room, descriptor, (pieces, taken, fd) => {
        const socket = new FakeSocket(fd, taken);
        const writer = writerTo(socket);
        const head = 'POST / HTTP/1.1\r\nx: \xc3\xa9\xe9\r\n\r\n';
        let wanted = head;
        let goesOn = writer.head(socket, head);
        for (const [index, size] of pieces.entries()) {
          const bytes = Buffer.alloc(size, 65 + index);
          wanted += `${size.toString(16)}\r\n${bytes.toString('latin1')}\r\n`;
          goesOn = writer.chunk(socket, bytes);
          // It was the caller's.
          bytes.fill(0);
        }
        goesOn = writer.lastChunk(socket, [['X-Sum', '1']]);
        assert.ok(socket.text === `${wanted}0\r\nX-Sum: 1\r\n\r\n`);
        assert.equal(goesOn, socket.writableLength === 0);
      }),
    );
  });

  it('writes bytes of a known length unchanged', () => {
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 6 }), room, descriptor, (pieces, taken, fd) => {
        const socket = new FakeSocket(fd, taken);
        const writer = writerTo(socket);
        let wanted = '';
        for (const [index, size] of pieces.entries()) {
          const bytes = Buffer.alloc(size, 65 + index);
          wanted += bytes.toString('latin1');
          assert.equal(writer.bytes(socket, bytes), socket.writableLength === 0);
          bytes.fill(0);
        }
        assert.ok(socket.text === wanted);
      }),
    );
  });

  it('writes a head that is larger than its slab', () => {
    const socket = new FakeSocket(7, Infinity);
    const head = `GET /${'a'.repeat(WRITER_SLAB_BYTES)} HTTP/1.1\r\n\r\n`;
    writerTo(socket).head(socket, head);
    assert.equal(socket.text, head);
  });
});
