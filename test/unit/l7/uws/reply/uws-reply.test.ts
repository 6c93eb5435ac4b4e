import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { HeaderList } from '../../../../../src/l7/contract/http-reply.ts';
import { UwsReply } from '../../../../../src/l7/uws/reply/uws-reply.ts';
import type { UwsResponse } from '../../../../../src/l7/uws/reply/uws-response.ts';

const CORK_BUFFER = 16 * 1024;
const FROM_ANYONE: HeaderList = [
  ['server', 'theirs'],
  ['x-app', '1'],
  ['Set-Cookie', 'theirs=1'],
  ['Set-Cookie', 'sticky=1', true],
];
const atOnce = (callback: () => void): void => callback();

/**
 * A response of uWS with a socket whose kernel buffer has as much room as a test says. Like uWS it takes a small
 * piece whole while corked, keeps what the kernel then refuses, and takes nothing more until that is gone.
 */
class FakeResponse implements UwsResponse {
  room = Infinity;
  /** What the kernel has: head as lines, body as text. */
  head = '';
  sent = 0;
  /** Taken from the reply, refused by the kernel. */
  kept = 0;
  done = false;
  closed = false;
  closesConnection = false;
  isRead = true;
  writes = 0;
  /** The latest piece of the body. */
  piece = '';
  /** Sizes of the chunks of a chunked body. */
  readonly chunks: number[] = [];
  #offset = 0;
  #corked: number | null = null;
  #onAborted: () => void = () => undefined;
  #onWritable: ((offset: number) => boolean) | null = null;

  stopReading(): void {
    this.#check();
    this.isRead = false;
  }

  cork(callback: () => void): void {
    this.#check();
    this.#corked = 0;
    callback();
    this.#uncork();
  }

  writeStatus(status: string): void {
    this.#check();
    this.head += `${status}\n`;
  }

  writeHeader(name: string, value: string | Uint8Array): void {
    this.#check();
    this.head += `${name}: ${typeof value === 'string' ? value : Buffer.from(value).toString('latin1')}\n`;
  }

  end(body: string | Uint8Array, closeConnection: boolean): void {
    this.#check();
    this.head += `[${Buffer.from(body).toString()}]\n`;
    this.closesConnection = closeConnection;
    this.done = true;
  }

  endWithoutBody(...rest: unknown[]): void {
    this.#check();
    assert.equal(rest.length, 0);
    this.done = true;
  }

  /** uWS keeps all of it: true where the kernel has what was before, and this, too, unless it waits in the cork. */
  write(chunk: Uint8Array): boolean {
    this.#check();
    this.writes++;
    this.piece = Buffer.from(chunk).toString();
    this.chunks.push(chunk.length);
    this.kept += chunk.length;
    const corked = this.#corked !== null && chunk.length <= CORK_BUFFER;
    const before = this.kept - chunk.length;
    if (corked && before === 0) return true;
    this.kept -= this.#kernel(this.kept);
    return this.kept === 0;
  }

  tryEnd(chunk: Uint8Array, totalSize: number): [boolean, boolean] {
    this.#check();
    assert.ok(chunk.length > 0);
    assert.ok(this.#corked !== null || this.#inCallback, 'uWS warns of writes that are not corked');
    this.writes++;
    this.piece = Buffer.from(chunk).toString();
    const taken = this.#take(chunk.length);
    this.#offset += taken;
    this.done = this.#offset === totalSize;
    assert.ok(this.#offset <= totalSize);
    return [taken === chunk.length, this.done];
  }

  getWriteOffset(): number {
    this.#check();
    return this.#offset;
  }

  onWritable(handler: (offset: number) => boolean): void {
    this.#check();
    this.#onWritable = handler;
  }

  onAborted(handler: () => void): void {
    this.#onAborted = handler;
  }

  close(): void {
    this.#check();
    this.closed = true;
    this.#onAborted();
  }

  /** The client goes away. */
  abort(): void {
    this.closed = true;
    this.#onAborted();
  }

  /** The kernel has room for so much more and says so. */
  writable(room: number): void {
    this.room += room;
    this.#inCallback = true;
    if (!this.done) this.#onWritable?.(this.#offset);
    this.#inCallback = false;
  }

  #inCallback = false;

  #check(): void {
    assert.ok(
      !this.closed && (!this.done || this.#corked !== null),
      'uWS throws when a response is used after its end',
    );
  }

  #take(length: number): number {
    if (this.kept > 0) {
      this.kept -= this.#kernel(this.kept);
      if (this.kept > 0) return 0;
    }
    if (this.#corked === null) return this.#kernel(length);
    if (this.#corked + length <= CORK_BUFFER) {
      this.#corked += length;
      return length;
    }
    this.#uncork();
    return this.kept > 0 ? 0 : this.#kernel(length);
  }

  #uncork(): void {
    if (this.#corked !== null) this.kept += this.#corked - this.#kernel(this.#corked);
    this.#corked = null;
  }

  #kernel(length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    this.sent += taken;
    return taken;
  }
}

const HEADERS: HeaderList = [['Content-Type', 'text/plain']];

/** A reply that streams `length` bytes to a kernel with so much room, up to its first short write. */
function streaming(
  length: number,
  room: number,
  chunk = length,
): { response: FakeResponse; reply: UwsReply } {
  const response = new FakeResponse();
  response.room = room;
  const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
  reply.begin(200, HEADERS, length);
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

describe('UwsReply', () => {
  for (const [what, length] of [
    ['of a known length', 40_000],
    ['in chunks', null],
  ] as const) {
    it(`keeps what waits of a body ${what} when the memory that it was lent is used again`, () => {
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

  it('sends a whole response', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(404, HEADERS, 'gone\n');
    assert.equal(response.head, '404 Not Found\nContent-Type: text/plain\nX-Request-Id: r\n[gone\n]\n');
    assert.equal(response.closesConnection, false);
  });

  it('ends the connection with the response where that is asked for', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(400, [], '', true);
    assert.equal(response.closesConnection, true);
  });

  it('answers later where the connection ends, and not a client that has gone by then', () => {
    const waiting: (() => void)[] = [];
    const [first, second] = [new FakeResponse(), new FakeResponse()];
    for (const response of [first, second]) {
      const later = (callback: () => void): unknown => waiting.push(callback);
      const reply = new UwsReply(response, 'r', false, later, () => response.stopReading());
      reply.send(400, [], 'bad', true);
      reply.send(200, [], 'again');
      assert.equal(response.head, '');
    }
    first.abort();
    for (const callback of waiting) callback();
    assert.deepEqual([first.head, second.head], ['', '400 Bad Request\nX-Request-Id: r\n[bad]\n']);
  });

  it('answers later with the body as it was', () => {
    for (const size of [100, 40_000]) {
      const response = new FakeResponse();
      const waiting: (() => void)[] = [];
      const reply = new UwsReply(
        response,
        'r',
        false,
        (callback) => waiting.push(callback),
        () => undefined,
      );
      const lent = Buffer.alloc(size, 'a');
      reply.send(200, [], lent);
      lent.fill('b');
      for (const callback of waiting) callback();
      assert.match(response.piece + response.head, /a{100}/);
      assert.doesNotMatch(response.piece + response.head, /b{100}/);
    }
  });

  it('reads nothing more before a reply ends behind which nothing is to be believed', () => {
    for (const give of [
      (reply: UwsReply) => reply.sendHead(200, [], 3),
      (reply: UwsReply) => {
        reply.begin(200, [], 3);
        reply.write(Buffer.from('abc'));
      },
      (reply: UwsReply) => {
        reply.begin(200, [], null);
        reply.end(Buffer.from('abc'));
      },
    ]) {
      const response = new FakeResponse();
      give(new UwsReply(response, 'r', false, atOnce, () => response.stopReading(), true));
      assert.match(response.head, /^Connection: close$/m);
      assert.deepEqual([response.done, response.isRead], [true, false]);
    }
    const whole = new FakeResponse();
    new UwsReply(whole, 'r', false, atOnce, () => whole.stopReading(), true).send(200, [], 'abc');
    assert.equal(whole.closesConnection, true);
  });

  it('tells a HEAD the length of the body and leaves it out', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).send(200, HEADERS, 'é');
    assert.equal(response.head, '200 OK\nContent-Type: text/plain\nX-Request-Id: r\nContent-Length: 2\n');
    assert.equal(response.done, true);
    const streamed = new FakeResponse();
    const reply = new UwsReply(streamed, 'r', true, atOnce, () => streamed.stopReading());
    reply.begin(200, [], 1000);
    assert.equal(reply.write(Buffer.alloc(1000)), true);
    assert.equal(streamed.head, '200 OK\nX-Request-Id: r\nContent-Length: 1000\n');
    assert.equal(streamed.sent, 0);
  });

  it('reads nothing behind a HEAD whose connection is to close', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).send(400, HEADERS, 'bad\n', true);
    assert.match(response.head, /^Connection: close$/m);
    assert.match(response.head, /^Content-Length: 4$/m);
    assert.deepEqual([response.done, response.isRead], [true, false]);
  });

  it('gives 204 and 304 neither a body nor a length', () => {
    for (const status of [204, 304]) {
      const response = new FakeResponse();
      new UwsReply(response, 'r', false, atOnce, () => response.stopReading(), true).send(
        status,
        [],
        '',
        true,
      );
      assert.equal(response.isRead, false);
      assert.match(response.head, /^\d+ [A-Z][\w ]+\nX-Request-Id: r\nConnection: close\n$/);
      assert.equal(response.done, true);
    }
  });

  it('writes a head alone with the length it is told', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', true, atOnce, () => response.stopReading()).sendHead(200, [], 12);
    assert.equal(response.head, '200 OK\nX-Request-Id: r\nContent-Length: 12\n');
  });

  for (const [what, give] of [
    ['a whole answer', (reply: UwsReply) => reply.send(502, FROM_ANYONE, 'x')],
    ['an answer that ends its connection', (reply: UwsReply) => reply.send(413, FROM_ANYONE, 'x', true)],
    ['a head alone', (reply: UwsReply) => reply.sendHead(304, FROM_ANYONE, null)],
    [
      'a streamed answer',
      (reply: UwsReply) => {
        reply.begin(200, FROM_ANYONE, null);
        reply.end(Buffer.from('x'));
      },
    ],
    ['a 101', (reply: UwsReply) => reply.switchProtocols(FROM_ANYONE, () => undefined)],
  ] as const) {
    it(`changes the headers of ${what} as the route says, and keeps the proxy's own cookie`, () => {
      const response = new FakeResponse();
      const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
      reply.edits = {
        dropped: new Set(['server', 'set-cookie']),
        added: ['Server', 'edge', 'Vary', 'Origin'],
      };
      give(reply);
      const [, ...lines] = response.head.split('\n');
      assert.deepEqual(lines.slice(0, 5), [
        'x-app: 1',
        'Set-Cookie: sticky=1',
        'Server: edge',
        'Vary: Origin',
        'X-Request-Id: r',
      ]);
    });
  }

  it('leaves the request id out if the route removes it, and to the route if that sets it', () => {
    const response = new FakeResponse();
    const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
    reply.edits = { dropped: new Set(['x-request-id']), added: [] };
    reply.send(200, [], 'x');
    assert.equal(response.head, '200 OK\n[x]\n');
    const other = new FakeResponse();
    const set = new UwsReply(other, 'r', false, atOnce, () => other.stopReading());
    set.edits = { dropped: new Set(['x-request-id']), added: ['x-request-id', 'fixed'] };
    set.send(200, [], 'x');
    assert.equal(other.head, '200 OK\nx-request-id: fixed\n[x]\n');
  });

  it('lets no header value end its line, and writes its bytes as they are', () => {
    const response = new FakeResponse();
    new UwsReply(response, 'r', false, atOnce, () => response.stopReading()).send(
      200,
      [
        ['X', 'a\r\nSet-Cookie: b\0\u010a'],
        ['Y', 'caf\xe9\tz'],
      ],
      '',
    );
    assert.equal(response.head, '200 OK\nX: a  Set-Cookie: b  \nY: caf\xe9\tz\nX-Request-Id: r\n[]\n');
  });

  it('streams a body to a client that keeps up', () => {
    const { response, reply } = streaming(100_000, Infinity, 30_000);
    assert.equal(response.sent, 100_000);
    assert.equal(response.done, true);
    assert.equal(response.kept, 0);
    assert.equal(reply.aborted, false);
    assert.equal(response.head, '200 OK\nContent-Type: text/plain\nX-Request-Id: r\n');
  });

  it('waits for a client that does not, and goes on when the socket is writable', () => {
    const { response } = streaming(100_000, 20_000, 30_000);
    assert.equal(response.sent, 20_000);
    response.writable(5_000);
    assert.equal(response.sent, 25_000);
    for (let i = 0; i < 10 && !response.done; i++) response.writable(10_000);
    assert.equal(response.sent, 100_000);
    assert.equal(response.done, true);
  });

  it('goes on with what the kernel takes though it does not call the socket writable', () => {
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

  it('keeps hold of a response until the kernel has its end', () => {
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

  it('cuts off a client that takes nothing for a minute, and tells so', () => {
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

  it('counts what goes out on writable as life', () => {
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

  it('tells once that the client has gone, and does nothing from then on', () => {
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

  it('does nothing once the reply is over', () => {
    const response = new FakeResponse();
    const reply = new UwsReply(response, 'r', false, atOnce, () => response.stopReading());
    reply.send(200, [], 'first');
    reply.send(200, [], 'second');
    reply.cut('endpoint');
    reply.onAborted(() => assert.fail('the reply was over'));
    assert.equal(response.head, '200 OK\nX-Request-Id: r\n[first]\n');
    assert.equal(reply.aborted, false);
  });

  it('does not tell of its own cut', () => {
    const { response, reply } = streaming(100_000, 20_000);
    reply.onAborted(() => assert.fail('that was no client'));
    reply.cut('endpoint');
    assert.equal(response.closed, true);
    assert.equal(reply.aborted, true);
  });
});
