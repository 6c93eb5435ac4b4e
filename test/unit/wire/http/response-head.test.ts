import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ResponseHeadReader } from '../../../../src/wire/http/response-head.ts';
import { bufferWork, drip, headOf } from '../../../support/buffer-work.ts';

const MALFORMED = 'malformed response head';

type Result = ReturnType<ResponseHeadReader['push']>;

function push(reader: ResponseHeadReader, bytes: Buffer): Result {
  return reader.push(bytes, 0, bytes.length);
}

function parse(text: string): Result {
  return push(new ResponseHeadReader(true), Buffer.from(text, 'latin1'));
}

/** Returns the reader's result for a text that comes byte by byte. */
function parseDripped(text: string): Result {
  const reader = new ResponseHeadReader(true);
  let result: Result = 'incomplete';
  drip(Buffer.from(text, 'latin1'), (byte) => {
    if (result === 'incomplete') result = push(reader, byte);
  });
  return result;
}

describe("a response's head", () => {
  const head =
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-Empty:\r\nset-cookie: a=1\r\nSet-Cookie:\t b=\xe9; c  \t\r\n\r\n';
  const parsed = {
    status: 101,
    headers: ['upgrade', 'websocket', 'x-empty', '', 'set-cookie', 'a=1', 'set-cookie', 'b=\xe9; c'],
    names: ['Upgrade', 'X-Empty', 'set-cookie', 'Set-Cookie'],
  };

  it('has names in lower case and as spelled, and trimmed values', () => {
    assert.deepEqual(parse(head), parsed);
  });

  it('is incomplete at every byte before its end, and independent of what follows', () => {
    for (let end = 0; end < head.length; end++) assert.equal(parse(head.slice(0, end)), 'incomplete');
    const reader = new ResponseHeadReader(true);
    const bytes = Buffer.from(`before${head}\x82\x03abc\r\n\r\n`, 'latin1');
    assert.deepEqual(reader.push(bytes, 6, bytes.length), parsed);
    assert.equal(bytes.toString('latin1', reader.headEnd), '\x82\x03abc\r\n\r\n');
  });

  it('is the same for any cut, in memory that is reused between reads', () => {
    assert.deepEqual(parseDripped(head), parsed);
    const bytes = Buffer.from(`${head}rest`, 'latin1');
    const shared = Buffer.alloc(bytes.length);
    for (let cut = 1; cut < head.length; cut++) {
      const reader = new ResponseHeadReader(true);
      bytes.copy(shared, 0, 0, cut);
      assert.equal(reader.push(shared, 0, cut), 'incomplete');
      bytes.copy(shared, 0, cut);
      const end = bytes.length - cut;
      assert.deepEqual(reader.push(shared, 0, end), parsed);
      assert.equal(shared.toString('latin1', reader.headEnd, end), 'rest');
    }
  });

  it('is final at a 101 only if the request asked for an upgrade', () => {
    const bytes = Buffer.from(`HTTP/1.1 103 Early Hints\r\n\r\n${head}`, 'latin1');
    assert.deepEqual(push(new ResponseHeadReader(true), bytes), parsed);
    assert.equal(push(new ResponseHeadReader(), bytes), 'the endpoint switches protocols unasked');
  });

  it('may have no headers and no reason', () => {
    for (const text of [
      'HTTP/1.1 200\r\n\r\n',
      'HTTP/1.1 200 \r\n\r\n',
      'HTTP/1.1 200 \xfcber\tOK\r\n\r\n',
    ]) {
      assert.deepEqual(parse(text), { status: 200, headers: [], names: [] });
    }
  });

  it('may have a status that no RFC defines', () => {
    for (const status of [299, 599, 600, 999]) {
      assert.deepEqual(parse(`HTTP/1.1 ${status} Odd\r\n\r\n`), { status, headers: [], names: [] });
    }
  });

  it('may be HTTP/1.0', () => {
    const text = 'HTTP/1.0 200 OK\r\nServer: b\r\n\r\n';
    const head = { status: 200, headers: ['server', 'b'], names: ['Server'], isHttp10: true as const };
    assert.deepEqual(parse(text), head);
    assert.deepEqual(parse(`HTTP/1.1 103 Early Hints\r\n\r\n${text}`), head);
    for (let end = 0; end < text.length; end++) assert.equal(parse(text.slice(0, end)), 'incomplete');
  });

  it('keeps colons in values', () => {
    const found = parse('HTTP/1.1 302 Found\r\nLocation: http://a:80/\r\n\r\n');
    assert.ok(typeof found === 'object');
    assert.deepEqual(found.headers, ['location', 'http://a:80/']);
  });

  it('returns any well-formed headers', () => {
    const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
    const value = fc.stringMatching(
      /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/,
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.oneof(fc.constant(''), value))), (lines) => {
        const text = lines.map(([key, content]) => `${key}: ${content}\r\n`).join('');
        const found = parse(`HTTP/1.1 200 OK\r\n${text}\r\nbody`);
        assert.ok(typeof found === 'object');
        assert.deepEqual(
          found.headers,
          lines.flatMap(([key, content]) => [key.toLowerCase(), content]),
        );
        assert.deepEqual(parseDripped(`HTTP/1.1 200 OK\r\n${text}\r\n`), found);
      }),
    );
  });
});

describe("an endpoint's response that is not HTTP/1", () => {
  const wrong: readonly (readonly [what: string, text: string])[] = [
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['HTTP/1.10', 'HTTP/1.10 200 OK\r\n\r\n'],
    ['lower case', 'http/1.1 200 OK\r\n\r\n'],
    ['a line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['a space before it', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['nothing but an empty line', '\r\n\r\n'],
    ['no status', 'HTTP/1.1 \r\n\r\n'],
    ['a reason for a status', 'HTTP/1.1 OK\r\n\r\n'],
    ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a tab before the status', 'HTTP/1.1\t200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a status of 0', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['a status with a sign', 'HTTP/1.1 -20 OK\r\n\r\n'],
    ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['a bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['a bare LF behind the status line', 'HTTP/1.1 200 OK\nX: a\r\n\r\n'],
    ['a bare LF behind a header', 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n'],
    ['a bare LF at the end of a header', 'HTTP/1.1 200 OK\r\nX: a\n\r\nY: b\r\n\r\n'],
    ['a bare LF at the end of the head', 'HTTP/1.1 200 OK\r\nX: a\n\r\n\r\n'],
    ['a bare LF before a value', 'HTTP/1.1 200 OK\r\nX:\na\r\n\r\n'],
    ['bare LFs alone', 'HTTP/1.1 200 OK\nX: a\n\n'],
    ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n'],
    ['a bare CR at the end of a value', 'HTTP/1.1 200 OK\r\nX: a\r\r\nY: b\r\n\r\n'],
    ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
    ['a vertical tab at the end of a value', 'HTTP/1.1 200 OK\r\nX: a\v\r\n\r\n'],
    ['a DEL in a value', 'HTTP/1.1 200 OK\r\nX: a\x7f\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['a line folded with a colon in it', 'HTTP/1.1 200 OK\r\nX: a\r\n\tY: b\r\n\r\n'],
    ['a folded first line', 'HTTP/1.1 200 OK\r\n X: a\r\n\r\n'],
    ['a space before a colon', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n'],
    ['a tab before a colon', 'HTTP/1.1 200 OK\r\nContent-Length\t: 5\r\n\r\n'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nX\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: a\r\n\r\n'],
    ['a name with a character that is none of a token', 'HTTP/1.1 200 OK\r\nX(a): a\r\n\r\n'],
    ['a name beyond ASCII', 'HTTP/1.1 200 OK\r\n\xe9: a\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a WebSocket frame', '\x81\x05hello'],
  ];
  for (const [what, text] of wrong) {
    it(`is malformed: ${what}, and never taken for a head before it is`, () => {
      assert.equal(parse(text), MALFORMED);
      assert.equal(parseDripped(text), MALFORMED);
      let malformed = false;
      for (let end = 0; end < text.length; end++) {
        const found = parse(text.slice(0, end));
        assert.equal(typeof found, 'string', `a head in ${end} bytes`);
        if (malformed) assert.equal(found, MALFORMED, `no longer malformed after ${end} bytes`);
        malformed ||= found === MALFORMED;
      }
    });
  }

  it('is refused at its first wrong byte if it does not start like HTTP/1', () => {
    for (const text of [
      'S',
      'HTTP/1.2',
      'HTTP/1.1\t',
      '\x15',
      'HTTP/1.1 200 OK\n',
      'HTTP/1.1 200 OK\r\nX: a\n',
    ]) {
      assert.equal(parse(text), MALFORMED, JSON.stringify(text));
    }
  });

  it('never makes the reader throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\r', '\n', ':', ' ', 'a', '1', '\0', '\xff') }),
        (text) => {
          parse(`HTTP/1.1 200 OK\r\n${text}\r\n\r\n`);
          parse(text);
        },
      ),
    );
  });
});

describe('the limit of a response head', () => {
  const MAX_BYTES = 64 * 1024;

  it('is 64 KiB, dripped or whole', () => {
    const most = headOf(MAX_BYTES).toString('latin1');
    const tooMuch = headOf(MAX_BYTES + 1).toString('latin1');
    for (const read of [parse, parseDripped]) {
      assert.equal(typeof read(most), 'object');
      assert.equal(read(tooMuch), 'response head too large');
    }
  });

  it('is 1,000 headers, dripped or whole', () => {
    const head = (headers: number): string => `HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(headers)}\r\n`;
    for (const read of [parse, parseDripped]) {
      assert.equal(typeof read(head(1000)), 'object');
      assert.equal(read(head(1001)), 'too many response headers');
    }
    assert.equal(parse(head(1001).slice(0, -2)), 'too many response headers', 'before its end');
  });

  it('counts 100 (Continue), which is not reported', () => {
    const heard: number[] = [];
    const reader = new ResponseHeadReader(false, { interimResponse: ({ status }) => heard.push(status) });
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n';
    assert.equal(push(reader, Buffer.from(interim.repeat(9))), 'too many interim responses');
    assert.deepEqual(
      heard,
      Array.from({ length: 8 }, () => 103),
    );
  });

  it('is 16 interim responses before the final one, dripped or whole', () => {
    const final = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n';
    const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    for (const read of [parse, parseDripped]) {
      assert.deepEqual(read(interim.repeat(16) + final), { status: 200, headers: ['a', 'b'], names: ['A'] });
      assert.equal(read(interim.repeat(17) + final), 'too many interim responses');
      assert.equal(read(interim.repeat(17)), 'too many interim responses');
      assert.equal(read(interim), 'incomplete');
    }
  });

  it('is the same for the second response', () => {
    const interim = headOf(MAX_BYTES, 'HTTP/1.1 100 Continue').toString('latin1');
    assert.equal(typeof parse(interim + headOf(MAX_BYTES).toString('latin1')), 'object');
    assert.equal(parse(interim + headOf(MAX_BYTES + 1).toString('latin1')), 'response head too large');
  });

  it('keeps the work linear in the bytes, for any cut', () => {
    for (const piece of [1, 7, 1000]) {
      const bytes = headOf(60_000);
      const reader = new ResponseHeadReader(true);
      let result: Result = 'incomplete';
      const work = bufferWork(() => {
        for (let at = 0; at < bytes.length; at += piece)
          result = push(reader, bytes.subarray(at, at + piece));
      });
      assert.equal(typeof result, 'object');
      // Searched once or twice, copied once or twice, decoded once.
      assert.ok(work < 6 * bytes.length, `${work} bytes of work for ${bytes.length} in pieces of ${piece}`);
    }
  });
});
