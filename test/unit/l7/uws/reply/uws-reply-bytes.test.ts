import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import fc from 'fast-check';
import type { HeaderList } from '../../../../../src/l7/contract/http-reply.ts';
import { UwsReply } from '../../../../../src/l7/uws/reply/uws-reply.ts';
import { UwsModel } from '../../../../support/http/uws-model.ts';

const KIB = 1024;
const RETRY_MS = 4_000;
/** More room than all that a test sends. */
const PLENTY = 100_000_000;
/** A chunk of 128 KiB is retried as a whole, and two pieces may wait. */
const MAX_KEPT_BYTES = 3 * 16 * KIB;

/** Sizes around every border that uWS or the reply has. */
const border = fc.oneof(
  fc.integer({ min: 16 * KIB - 400, max: 16 * KIB + 100 }),
  fc.constantFrom(1, 2, 15, 16, 17, 511, 512, 4_095, 4_096, 8_192, 8_193, 32_744, 65_536, 131_072),
);
const rooms = fc.oneof(border, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 20_000 }));

/** One way to send a body to one client. */
interface Course {
  readonly withTls: boolean;
  readonly way: 'chunked' | 'chunked, end apart' | 'with a length' | 'whole';
  readonly pieces: readonly number[];
  readonly headers: readonly number[];
  /** The room of the kernel at first, and what it gains at each step, and whether it calls the socket writable then. */
  readonly room: number;
  readonly gains: readonly (readonly [room: number, isWritable: boolean])[];
}

const courses: fc.Arbitrary<Course> = fc.record({
  withTls: fc.boolean(),
  way: fc.constantFrom('chunked', 'chunked, end apart', 'with a length', 'whole'),
  pieces: fc.array(border, { minLength: 1, maxLength: 5 }),
  headers: fc.array(fc.constantFrom(1, 100, 3_000, 8_000, 15_000), { maxLength: 4 }),
  room: rooms,
  gains: fc.array(fc.tuple(rooms, fc.boolean()), { maxLength: 12 }),
});

/** Sends a body, whose source lends each piece for the call only, and returns what the client has got. */
function send({ withTls, way, pieces, headers, room, gains }: Course): { model: UwsModel; body: Buffer } {
  const model = new UwsModel(room, withTls);
  const reply = new UwsReply(
    model,
    'r',
    false,
    (callback) => callback(),
    () => undefined,
  );
  const body = Buffer.concat(pieces.map((size, index) => Buffer.alloc(size, `${index}:abcdefghijklmnop\n`)));
  const list: HeaderList = headers.map((size, index) => [`x-${index}`, 'v'.repeat(size)]);
  const lent = Buffer.alloc(body.length);
  const lend = (start: number, end: number): Buffer => {
    body.copy(lent, 0, start, end);
    return lent.subarray(0, end - start);
  };
  let at = 0;
  let next = 0;
  const pump = (): void => {
    while (next < pieces.length) {
      const start = at;
      at += pieces[next++]!;
      if (way === 'chunked' && next === pieces.length) reply.end(lend(start, at));
      else if (!reply.write(lend(start, at), true)) {
        lent.fill('!');
        reply.whenWritable(pump);
        return;
      }
      lent.fill('!');
    }
    if (way === 'chunked, end apart') reply.end(null);
  };
  if (way === 'whole') {
    reply.send(200, list, lend(0, body.length));
    lent.fill('!');
  } else {
    reply.begin(200, list, way === 'with a length' ? body.length : null);
    pump();
  }
  const step = (more: number, isWritable: boolean): void => {
    model.kernel.room += more;
    if (isWritable) model.writable();
    else mock.timers.tick(RETRY_MS);
  };
  for (const [more, isWritable] of gains) step(more, isWritable);
  for (let left = 100; left > 0; left--) step(PLENTY, true);
  return { model, body };
}

/** Reads one response as RFC 9112 has it. */
function bodyOf(wire: Buffer): Buffer {
  const end = wire.indexOf('\r\n\r\n');
  const head = wire.toString('latin1', 0, end);
  let rest = wire.subarray(end + 4);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    assert.equal(rest.length, Number(length));
    return rest;
  }
  assert.match(head, /\r\ntransfer-encoding: chunked/i);
  const pieces: Buffer[] = [];
  for (;;) {
    const line = rest.indexOf('\r\n');
    const text = rest.toString('latin1', 0, line);
    assert.match(text, /^[0-9a-f]+$/i, 'this is no chunk size');
    const size = parseInt(text, 16);
    const after = line + 2 + size;
    assert.equal(rest.toString('latin1', after, after + 2), '\r\n', 'a chunk has another size');
    pieces.push(rest.subarray(line + 2, after));
    rest = rest.subarray(after + 2);
    if (size === 0) break;
  }
  assert.equal(rest.length, 0);
  return Buffer.concat(pieces);
}

describe('UwsReply, byte for byte', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('neither loses nor repeats a byte, whatever the kernel takes', () => {
    fc.assert(
      fc.property(courses, (course) => {
        const { model, body } = send(course);
        assert.ok(model.done, 'the response has not ended');
        const got = bodyOf(model.wire);
        assert.equal(got.length, body.length);
        assert.ok(got.equals(body));
      }),
      { numRuns: 3_000 },
    );
  });

  for (const withTls of [false, true]) {
    it(`sends pieces around the size of the cork buffer completely${withTls ? ' over TLS' : ''}`, () => {
      for (let size = 16 * KIB - 64; size <= 16 * KIB + 64; size++) {
        const gains = Array.from({ length: 4 }, () => [20_000, true] as const);
        const { model, body } = send({
          ...{ withTls, way: 'chunked', headers: [], gains },
          pieces: [size, size, size],
          room: 16_600,
        });
        assert.ok(bodyOf(model.wire).equals(body), `pieces of ${size} bytes`);
      }
    });
  }

  it('buffers little in uWS for a client that reads nothing', () => {
    const model = new UwsModel(0, false);
    const reply = new UwsReply(
      model,
      'r',
      false,
      (callback) => callback(),
      () => undefined,
    );
    reply.begin(200, [], null);
    let writes = 0;
    while (reply.write(Buffer.alloc(100)) && writes < 10_000) writes++;
    assert.ok(writes < 10, `${writes} writes were taken`);
    for (let count = 0; count < 10; count++) mock.timers.tick(RETRY_MS);
    assert.ok(model.mostKept < MAX_KEPT_BYTES);
    reply.cut('endpoint');
  });
});
