import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { UwsReply } from '../../../../../src/l7/uws/reply/uws-reply.ts';
import { FakeResponse } from './fake-response.ts';

const atOnce = (callback: () => void): void => callback();

/** A reply that streams `length` bytes to a kernel with so much room, up to its first short write. */
function streaming(
  length: number,
  room: number,
  chunk = length,
): { response: FakeResponse; reply: UwsReply } {
  const response = new FakeResponse();
  response.room = room;
  const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
  reply.begin(200, [['Content-Type', 'text/plain']], length);
  let left = length;
  const pump = (): void => {
    while (left > 0 && !reply.aborted) {
      const size = Math.min(left, chunk);
      left -= size;
      if (!reply.write(Buffer.alloc(size))) {
        reply.whenWritable(pump);
        return;
      }
    }
  };
  pump();
  return { response, reply };
}

describe('the streamed body of a UwsReply', () => {
  for (const [what, length] of [
    ['with a known length', 40_000],
    ['in chunks', null],
  ] as const) {
    it(`keeps the rest of a body ${what} when borrowed memory is reused`, () => {
      const response = new FakeResponse();
      response.room = 100;
      const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
      reply.begin(200, [], length);
      const lent = Buffer.alloc(40_000, 'a');
      assert.equal(reply.write(lent, true), false);
      lent.fill('b');
      response.writable(50_000);
      assert.match(response.piece, /^a+$/);
      response.abort();
    });
  }

  it('streams a body to a client that keeps up', () => {
    const { response, reply } = streaming(100_000, Infinity, 30_000);
    assert.equal(response.sent, 100_000);
    assert.equal(response.done, true);
    assert.equal(response.kept, 0);
    assert.equal(reply.aborted, false);
    assert.equal(response.head, '200 OK\nContent-Type: text/plain\nX-Request-Id: r\n');
  });

  it('waits for a slow client, and continues when the socket is writable', () => {
    const { response } = streaming(100_000, 20_000, 30_000);
    assert.equal(response.sent, 20_000);
    response.writable(5_000);
    assert.equal(response.sent, 25_000);
    for (let i = 0; i < 10 && !response.done; i++) response.writable(10_000);
    assert.equal(response.sent, 100_000);
    assert.equal(response.done, true);
  });

  it('continues when the kernel takes bytes without reporting the socket as writable', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { response } = streaming(100_000, 20_000, 30_000);
      for (let i = 0; i < 10; i++) {
        response.room += 9_000;
        mock.timers.tick(4_000);
      }
      assert.equal(response.done, true);
      assert.equal(response.sent, 100_000);
    } finally {
      mock.timers.reset();
    }
  });

  it('keeps a response until the kernel has its end', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      for (const [length, room, chunk] of [
        [100_000, 90_000, 90_000],
        [100_000, 95_000, 30_000],
        [100_000, 99_990, 100_000],
        [50_000, 49_000, 49_999],
      ] as const) {
        const { response } = streaming(length, room, chunk);
        for (let i = 0; i < 3; i++) {
          mock.timers.tick(4_000);
          assert.equal(response.done, false, 'done while the kernel has not taken everything');
        }
        response.room += length;
        mock.timers.tick(4_000);
        assert.equal(response.done, true);
        assert.equal(response.sent, length);
        assert.equal(response.kept, 0);
      }
    } finally {
      mock.timers.reset();
    }
  });

  it('disconnects a client that takes nothing for a minute, and reports that', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { response, reply } = streaming(100_000, 20_000);
      const told: string[] = [];
      reply.onAborted(() => told.push('aborted'));
      reply.whenWritable(() => told.push('writable'));
      mock.timers.tick(56_000);
      response.room += 1_000;
      mock.timers.tick(60_000);
      assert.equal(response.closed, false);
      mock.timers.tick(8_000);
      assert.equal(response.closed, true);
      assert.equal(reply.aborted, true);
      assert.equal(reply.cutBy, 'client_stalled');
      assert.deepEqual(told, ['writable', 'aborted']);
    } finally {
      mock.timers.reset();
    }
  });

  it('counts bytes sent on writable as progress', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { response } = streaming(100_000, 20_000);
      for (let i = 0; i < 4; i++) {
        mock.timers.tick(40_000);
        response.writable(100);
      }
      assert.equal(response.closed, false);
    } finally {
      mock.timers.reset();
    }
  });

  it('reports a disconnected client once, and then does nothing', () => {
    const { response, reply } = streaming(100_000, 20_000);
    const told: string[] = [];
    reply.onAborted(() => told.push('aborted'));
    reply.whenWritable(() => told.push('writable'));
    response.abort();
    assert.deepEqual(told, ['writable', 'aborted']);
    assert.equal(reply.aborted, true);
    reply.onAborted(() => told.push('late'));
    reply.send(200, [], 'x');
    reply.sendHead(200, [], null);
    reply.begin(200, [], 1);
    assert.equal(reply.write(Buffer.alloc(1)), true);
    reply.cut('endpoint');
    assert.deepEqual(told, ['writable', 'aborted', 'late']);
  });

  it('does not report its own cut', () => {
    const { response, reply } = streaming(100_000, 20_000);
    reply.onAborted(() => assert.fail('that was no client'));
    reply.cut('endpoint');
    assert.equal(response.closed, true);
    assert.equal(reply.aborted, true);
  });
});
