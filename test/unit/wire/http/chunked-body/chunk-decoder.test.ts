import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChunkDecoder } from '../../../../../src/wire/http/chunked-body/chunk-decoder.ts';

/** The output of a decoder, and the unread rest. */
interface Decoded {
  readonly content: string;
  readonly problem: string | null;
  readonly complete: boolean;
  readonly trailers: readonly (readonly string[])[];
  /** The bytes behind a complete body; null without one. */
  readonly rest: string | null;
}

function decode(bytes: Buffer, cuts: readonly number[], isLenient: boolean): Decoded {
  const decoder = new ChunkDecoder(isLenient);
  const shared = Buffer.alloc(bytes.length + 2);
  let content = '';
  let rest: string | null = null;
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    shared.fill(0xee);
    bytes.copy(shared, 2, at, end);
    const behind = decoder.push(shared, 2, 2 + end - at, {
      bodyData: (data) => {
        assert.ok(data.length > 0);
        content += data.toString('latin1');
      },
    });
    if (decoder.complete) {
      rest = bytes.toString('latin1', at + behind - 2);
      break;
    }
    if (decoder.problem !== null) break;
    assert.equal(behind, 2 + end - at);
    at = end;
  }
  return { content, problem: decoder.problem, complete: decoder.complete, trailers: decoder.trailers, rest };
}

/** Decodes a text cut in two at every place, and byte by byte, which must all give the same. */
function decodeInPieces(text: string, isLenient = false): Decoded {
  const bytes = Buffer.from(text, 'latin1');
  const whole = decode(bytes, [], isLenient);
  for (let cut = 1; cut < bytes.length; cut++)
    assert.deepEqual(decode(bytes, [cut], isLenient), whole, `cut at ${cut}`);
  const each = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  assert.deepEqual(decode(bytes, each, isLenient), whole);
  return whole;
}

describe('a chunked body', () => {
  it('yields its content, its trailers and the bytes after it', () => {
    const text =
      '5\r\nhello\r\n00A;x="y z\\"";q ; r = s\r\n0123456789\r\n3 ;e\r\nabc\r\n0\r\nX-Sum: \t1 2 \r\nx-b:\xe9\r\n\r\nGET /';
    assert.deepEqual(decodeInPieces(text), {
      content: 'hello0123456789abc',
      problem: null,
      complete: true,
      trailers: [
        ['X-Sum', '1 2'],
        ['x-b', '\xe9'],
      ],
      rest: 'GET /',
    });
  });

  it('yields all content of one read in one piece, for chunks of any size', () => {
    const large = 'x'.repeat(1000);
    const body = `${'1\r\na\r\n'.repeat(500)}3e8;e\r\n${large}\r\n1\r\nb\r\n0\r\n\r\n`;
    const input = Buffer.from(`..${body}GET /`);
    const pieces: string[] = [];
    const decoder = new ChunkDecoder(false);
    const behind = decoder.push(input, 2, input.length, { bodyData: (data) => pieces.push(data.toString()) });
    assert.deepEqual(pieces, [`${'a'.repeat(500)}${large}b`]);
    assert.equal(decoder.complete, true);
    assert.equal(input.toString('latin1', 0, 2), '..');
    assert.equal(input.toString('latin1', behind), 'GET /');
  });

  it('yields the content before a problem', () => {
    assert.deepEqual(decodeInPieces('1\r\na\r\n2\r\nbc\r\nx'), {
      content: 'abc',
      problem: 'bad chunk size',
      complete: false,
      trailers: [],
      rest: null,
    });
  });

  it('allows arbitrary extension text only in lenient mode', () => {
    const text = '5;\r\nhello\r\n5; a (b) \r\nhello\r\n0\r\n\r\n';
    assert.equal(decodeInPieces(text, true).content, 'hellohello');
    assert.equal(decodeInPieces('5;a\x00', true).problem, 'bad chunk extension');
  });

  it('allows white space after a size only in lenient mode', () => {
    const text = '5 \t\r\nhello\r\n0 \r\n\r\n';
    assert.equal(decodeInPieces(text, true).content, 'hello');
    assert.equal(decodeInPieces(text).problem, 'bad chunk size');
  });

  const wrong: readonly [text: string, problem: string][] = [
    ['\r\n', 'bad chunk size'],
    ['g\r\n', 'bad chunk size'],
    ['5g\r\n', 'bad chunk size'],
    ['0x5\r\n', 'bad chunk size'],
    ['-5\r\n', 'bad chunk size'],
    [' 5\r\n', 'bad chunk size'],
    ['5\nhello', 'bad chunk size'],
    ['5 5\r\n', 'bad chunk size'],
    ['123456789\r\n', 'chunk too large'],
    ['5\rx', 'CR without LF'],
    ['5;a\rx', 'CR without LF'],
    ['5;\n', 'bad chunk extension'],
    ['5;\r', 'bad chunk extension'],
    ['5;a \r', 'bad chunk extension'],
    ['5;a=\r', 'bad chunk extension'],
    ['5;a b', 'bad chunk extension'],
    ['5;a(', 'bad chunk extension'],
    ['5;=', 'bad chunk extension'],
    ['5;a=b=', 'bad chunk extension'],
    ['5;a="b\r', 'bad chunk extension'],
    ['5;a="b"c', 'bad chunk extension'],
    ['5;a\x00', 'bad chunk extension'],
    ['5;a\x7f', 'bad chunk extension'],
    ['5\r\nhellox\r\n', 'chunk longer than its size'],
    ['5\r\nhello\n', 'chunk longer than its size'],
    ['5\r\nhello\rx', 'CR without LF'],
    ['0\r\n\rx', 'CR without LF'],
    ['0\r\n\n', 'LF without CR'],
    ['0\r\nX: a\n', 'LF without CR'],
    ['0\r\n X: a\r\n', 'white space before a header'],
    ['0\r\nX : a\r\n', 'bad header name'],
    ['0\r\nX: a\r\n b\r\n\r\n', 'white space before a header'],
    ['0\r\nX: a\x00\r\n', 'control character in a header'],
    [`${'0'.repeat(1024)}5`, 'chunk extension too long'],
    [`5;${'a'.repeat(1024)}`, 'chunk extension too long'],
  ];
  for (const [text, problem] of wrong) {
    it(`is refused: ${JSON.stringify(text.slice(0, 40))}`, () =>
      assert.equal(decodeInPieces(text).problem, problem));
  }

  it('allows long extensions only with enough content', () => {
    const decodeOnce = (text: string): string | null => decode(Buffer.from(text), [], false).problem;
    const extension = `;${'a'.repeat(1000)}\r\n`;
    assert.equal(decodeOnce(`1${extension}a\r\n`.repeat(16)), null);
    assert.equal(decodeOnce(`1${extension}a\r\n`.repeat(18)), 'chunk extensions too long');
    assert.equal(decodeOnce(`400${extension}${'a'.repeat(1024)}\r\n`.repeat(100)), null);
  });

  it('limits its trailers', () => {
    const decodeOnce = (trailers: string): string | null =>
      decode(Buffer.from(`0\r\n${trailers}`), [10, 400], false).problem;
    assert.equal(decodeOnce('a: b\r\n'.repeat(100)), null);
    assert.equal(decodeOnce('a: b\r\n'.repeat(101)), 'too many headers');
    assert.equal(decodeOnce(`a: ${'b'.repeat(16 * 1024)}`), 'trailers too long');
  });
});
