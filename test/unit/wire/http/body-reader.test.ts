import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BodyReader, type BodySink } from '../../../../src/wire/http/body-reader.ts';
import type { ResponseHead } from '../../../../src/wire/http/response-head.ts';

function head(status: number, ...headers: string[]): ResponseHead {
  return { status, headers };
}

/** A reader, and the content that it has found. */
class Collected implements BodySink {
  readonly #reader: BodyReader;
  #content = Buffer.alloc(0);

  constructor(head: ResponseHead) {
    this.#reader = new BodyReader(head);
  }

  get complete(): boolean {
    return this.#reader.complete;
  }

  get malformed(): boolean {
    return this.#reader.malformed;
  }

  push(input: Buffer): void {
    this.#reader.push(input, 0, input.length, this);
  }

  end(): void {
    this.#reader.end();
  }

  bytes(): Buffer {
    return this.#content;
  }

  bodyData(bytes: Buffer): void {
    assert.ok(bytes.length > 0);
    this.#content = Buffer.concat([this.#content, bytes]);
  }
}

const CHUNKED = head(200, 'transfer-encoding', 'chunked');

/** Pushes the bytes cut at the given places, through one buffer that is overwritten after each push. */
function push(body: Collected, bytes: Buffer, cuts: readonly number[] = []): void {
  const shared = Buffer.alloc(bytes.length);
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    const size = end - at;
    bytes.copy(shared, 0, at, end);
    body.push(shared.subarray(0, size));
    shared.fill(0xee);
    at = end;
  }
}

function everyByte(bytes: Buffer): number[] {
  return Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
}

/** Returns the bytes cut in two at every place, and byte by byte. */
function waysToCut(bytes: Buffer): number[][] {
  return [[], ...everyByte(bytes).map((cut) => [cut]), everyByte(bytes)];
}

function outcome(body: Collected): string {
  assert.ok(!(body.complete && body.malformed), 'complete and malformed at once');
  return body.complete ? body.bytes().toString('latin1') : body.malformed ? 'malformed' : 'incomplete';
}

describe('a body with a length', () => {
  const bytes = Buffer.from('hello world');

  it('is complete at its last byte, for any cut', () => {
    for (const cuts of waysToCut(bytes)) {
      const body = new Collected(head(200, 'content-length', '11'));
      push(body, bytes, cuts);
      assert.equal(outcome(body), 'hello world');
    }
  });

  it('waits for its last byte, and is truncated if the endpoint closes earlier', () => {
    const body = new Collected(head(500, 'content-length', '12'));
    push(body, bytes);
    assert.equal(outcome(body), 'incomplete');
    body.end();
    assert.equal(outcome(body), 'malformed');
  });

  it('ends at its own length, whatever follows', () => {
    const body = new Collected(head(200, 'content-length', '5'));
    push(body, bytes);
    push(body, bytes);
    body.end();
    assert.equal(outcome(body), 'hello');
  });

  it('of length 0 is complete at once', () => {
    assert.equal(outcome(new Collected(head(404, 'content-length', '0'))), '');
  });
});

describe('a body without a length', () => {
  it('ends when the endpoint closes', () => {
    const bytes = Buffer.from('a\r\n\r\nb');
    for (const cuts of waysToCut(bytes)) {
      const body = new Collected(head(200));
      push(body, bytes, cuts);
      assert.equal(outcome(body), 'incomplete');
      body.end();
      assert.equal(outcome(body), 'a\r\n\r\nb');
    }
  });

  it('may be empty', () => {
    const body = new Collected(head(200));
    body.end();
    assert.equal(outcome(body), '');
  });
});

describe('a response without a body', () => {
  for (const status of [101, 199, 204, 304]) {
    it(`is complete at once with status ${status}, whatever its headers say`, () => {
      assert.equal(outcome(new Collected(head(status))), '');
      assert.equal(outcome(new Collected(head(status, 'content-length', '5'))), '');
      assert.equal(outcome(new Collected(head(status, 'transfer-encoding', 'chunked'))), '');
    });
  }
});

describe('a repeated length', () => {
  const same: readonly (readonly string[])[] = [
    ['content-length', '5', 'content-length', '5'],
    ['content-length', '5', 'x-other', '6', 'content-length', '5'],
    ['content-length', '5, 5'],
    ['content-length', '5,5 ,\t5', 'content-length', '5'],
  ];
  for (const headers of same) {
    it(`counts once if both are the same: ${JSON.stringify(headers)}`, () => {
      const bytes = Buffer.from('hello');
      for (const cuts of waysToCut(bytes)) {
        const body = new Collected(head(200, ...headers));
        push(body, bytes, cuts);
        assert.equal(outcome(body), 'hello');
      }
    });
  }
});

describe('a chunk size padded to a width', () => {
  const sizes = ['5   ', '5\t', '5 \t ;x', '00000005', `${'0'.repeat(200)}5`, '05  '];
  for (const size of sizes) {
    it(`is read wherever it is cut: ${JSON.stringify(size)}`, () => {
      const bytes = Buffer.from(`${size}\r\nhello\r\n00  \r\n\r\n`);
      for (const cuts of waysToCut(bytes)) {
        const body = new Collected(CHUNKED);
        push(body, bytes, cuts);
        assert.equal(outcome(body), 'hello', `cut at ${cuts.join(' ')}`);
      }
    });
  }

  it('must fit the line limit', () => {
    for (const width of [1024, 4096]) {
      const body = new Collected(CHUNKED);
      push(body, Buffer.from(`${'5'.padStart(width, '0')}\r\nhello\r\n0\r\n\r\n`));
      assert.equal(outcome(body), 'malformed');
    }
  });
});

describe('ambiguous framing', () => {
  const wrong: readonly (readonly string[])[] = [
    ['content-length', '5', 'transfer-encoding', 'chunked'],
    ['transfer-encoding', 'chunked', 'content-length', '0'],
    ['content-length', '5', 'content-length', '6'],
    ['content-length', '5', 'content-length', '05'],
    ['content-length', '5', 'content-length', '5', 'content-length', '6'],
    ['content-length', '5', 'content-length', ''],
    ['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'],
    ['transfer-encoding', 'gzip, chunked'],
    ['transfer-encoding', 'identity'],
    ['transfer-encoding', ''],
    ...['', '-1', '+5', '5, 6', '5,', ',5', '5 5', '0x5', '5 ', '1e1', '1234567890123456'].map((length) => [
      'content-length',
      length,
    ]),
  ];
  for (const headers of wrong) {
    it(`is malformed: ${JSON.stringify(headers)}`, () => {
      for (const status of [200, 204]) {
        const body = new Collected(head(status, ...headers));
        assert.equal(outcome(body), 'malformed');
        push(body, Buffer.from('5\r\nhello\r\n0\r\n\r\n'));
        body.end();
        assert.equal(outcome(body), 'malformed');
        assert.equal(body.bytes().length, 0);
      }
    });
  }
});

describe('chunks in HTTP/1.0', () => {
  it('are malformed, but a header that only names them is not', () => {
    for (const status of [200, 204]) {
      const old: ResponseHead = { ...head(status, 'transfer-encoding', 'chunked'), isHttp10: true };
      assert.equal(outcome(new Collected(old)), 'malformed');
    }
    const named: ResponseHead = {
      ...head(403, 'vary', 'transfer-encoding', 'content-length', '0'),
      isHttp10: true,
    };
    assert.equal(outcome(new Collected(named)), '');
  });
});

describe('a chunked body', () => {
  const right: readonly (readonly [text: string, body: string])[] = [
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    ['A\r\n0123456789\r\na\r\n0123456789\r\n00\r\n\r\n', '01234567890123456789'],
    ['00000002\r\n\r\n\r\n0\r\n\r\n', '\r\n'],
    ['3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n', 'abc'],
    ['3 \t;a\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['3\r\nabc\r\n0\r\nX-A: b\r\nX-C: 0\r\n\r\n', 'abc'],
    ['1\r\n\0\r\n0\r\n\r\nGET / HTTP/1.1\r\n', '\0'],
  ];
  for (const [text, content] of right) {
    it(`is read wherever it is cut: ${JSON.stringify(text)}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      for (const cuts of waysToCut(bytes)) {
        const body = new Collected(CHUNKED);
        push(body, bytes, cuts);
        assert.equal(outcome(body), content, `cut at ${cuts.join(' ')}`);
      }
    });
  }

  const wrong: readonly string[] = [
    '\r\n',
    '\n',
    '5\nhello\r\n0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhellox\r\n0\r\n\r\n',
    '5\r\nhell\r\n0\r\n\r\n',
    '0\r\n\n',
    '0\r\nX: a\n\r\n',
    'g\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '-1\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '5\v\r\nhello\r\n0\r\n\r\n',
    '5 \nhello\r\n0\r\n\r\n',
    '5 \r \r\nhello\r\n0\r\n\r\n',
    '0000000123456789\r\n',
    '5 5\r\n',
    '5;a\rb\r\nhello\r\n0\r\n\r\n',
    '123456789\r\n',
    ';\r\n',
  ];
  for (const text of wrong) {
    it(`is malformed wherever it is cut: ${JSON.stringify(text)}`, () => {
      const bytes = Buffer.from(text, 'latin1');
      for (const cuts of waysToCut(bytes)) {
        const body = new Collected(CHUNKED);
        push(body, bytes, cuts);
        assert.equal(outcome(body), 'malformed', `cut at ${cuts.join(' ')}`);
      }
    });
  }

  it('is truncated if the endpoint closes at any byte before its end', () => {
    const bytes = Buffer.from('5;x\r\nhello\r\n0\r\nX: a\r\n\r\n');
    for (let end = 0; end < bytes.length; end++) {
      const body = new Collected(CHUNKED);
      push(body, bytes.subarray(0, end));
      assert.equal(outcome(body), 'incomplete');
      body.end();
      assert.equal(outcome(body), 'malformed');
    }
  });

  it('refuses a line without an end', () => {
    for (const start of ['5;', '0\r\n']) {
      const body = new Collected(CHUNKED);
      push(body, Buffer.from(start));
      const more = Buffer.alloc(100, 'x');
      for (let times = 0; times < 200; times++) push(body, more);
      assert.equal(outcome(body), 'malformed');
    }
  });

  it('is read for any cut into chunks and reads', () => {
    const chunk = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      zeros: fc.nat(20),
      extension: fc.constantFrom('', ' ', '\t ', ';a', ' ; a="b"'),
      upper: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 8 }),
        fc.array(fc.constantFrom('X-A: b', 'y:'), { maxLength: 3 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (chunks, trailers, places) => {
          const bytes = Buffer.concat([
            ...chunks.flatMap(({ data, zeros, extension, upper }) => {
              const size = '0'.repeat(zeros) + data.length.toString(16);
              return [
                Buffer.from(`${upper ? size.toUpperCase() : size}${extension}\r\n`),
                data,
                Buffer.from('\r\n'),
              ];
            }),
            Buffer.from(`0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`),
          ]);
          const cuts = places.filter((place) => place <= bytes.length).sort((a, b) => a - b);
          const body = new Collected(CHUNKED);
          push(body, bytes, cuts);
          const all = Buffer.concat(chunks.map(({ data }) => data));
          assert.equal(outcome(body), all.toString('latin1'));
        },
      ),
    );
  });
});
