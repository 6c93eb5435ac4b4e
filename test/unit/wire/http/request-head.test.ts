import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  headProblem,
  headerOf,
  joinedHeaderOf,
  listMembers,
  trimOws,
  type RequestHead,
} from '../../../../src/wire/http/request-head.ts';

function head(...headers: string[]): RequestHead {
  return { method: 'GET', path: '/', query: '', headers };
}

describe('the headers of a request', () => {
  const twice = head('host', 'a', 'x-a', '1', 'x-b', '', 'x-a', '2, 3');

  it('are found by name: the first line, or all of them joined', () => {
    assert.equal(headerOf(twice, 'x-a'), '1');
    assert.equal(headerOf(twice, 'x-b'), '');
    assert.equal(headerOf(twice, 'x-c'), undefined);
    assert.equal(joinedHeaderOf(twice, 'x-a'), '1, 2, 3');
    assert.equal(joinedHeaderOf(twice, 'x-b'), '');
    assert.equal(joinedHeaderOf(twice, 'x-c'), undefined);
  });

  it('are not found by the text of a value', () => {
    const confusing = head('x-a', 'x-b', 'x-b', 'right');
    assert.equal(headerOf(confusing, 'x-b'), 'right');
    assert.equal(joinedHeaderOf(confusing, 'x-b'), 'right');
  });
});

describe('a list in a header', () => {
  it('has trimmed members, without empty ones', () => {
    assert.deepEqual(listMembers(undefined), []);
    assert.deepEqual(listMembers(''), []);
    assert.deepEqual(listMembers(' , ,\t'), []);
    assert.deepEqual(listMembers('a'), ['a']);
    assert.deepEqual(listMembers(' a,b ,\tc d\t,,'), ['a', 'b', 'c d']);
  });

  it("keeps white space that is not HTTP's", () => {
    assert.deepEqual(listMembers('\u00a0a, b\u3000'), ['\u00a0a', 'b\u3000']);
  });
});

describe('optional white space', () => {
  it('is spaces and tabs at the ends', () => {
    assert.equal(trimOws(' \t a\t b \t'), 'a\t b');
    assert.equal(trimOws(''), '');
    assert.equal(trimOws(' \t '), '');
    assert.equal(trimOws('a'), 'a');
  });

  it('is no other white space', () => {
    for (const other of ['\r', '\n', '\v', '\f', '\u00a0', '\ufeff', '\u2028']) {
      assert.equal(trimOws(`${other}a${other}`), `${other}a${other}`, JSON.stringify(other));
    }
  });

  it('is trimmed in linear time', () => {
    const long = `a${' '.repeat(200_000)}b`;
    const start = performance.now();
    assert.equal(trimOws(long), long);
    assert.ok(performance.now() - start < 2000);
  });
});

describe('a valid head', () => {
  const fine: readonly (readonly string[])[] = [
    ['host', 'a'],
    ['host', ''],
    ['host', 'a', 'content-length', '0'],
    ['host', 'a', 'content-length', '123456789012345'],
    ['host', 'a', 'transfer-encoding', 'chunked'],
    ['host', 'a', 'transfer-encoding', 'CHUNKED'],
    ['host', 'a', 'x-a', '', 'x-a', '\ttabs and \u00e9 are fine\u2028'],
    ['host', 'a', 'connection', 'keep-alive', 'connection', 'upgrade', 'upgrade', 'websocket'],
    ['host', 'a', 'sec-websocket-protocol', 'a', 'sec-websocket-protocol', 'b'],
    ['host', 'a', 'cookie', 'a=b', 'cookie', 'c=d'],
  ];
  for (const headers of fine) {
    it(`is ${JSON.stringify(headers)}`, () => assert.equal(headProblem(head(...headers)), null));
  }

  it('may have any token as its method', () => {
    assert.equal(headProblem({ ...head('host', 'a'), method: 'M-SEARCH' }), null);
    for (const method of ['', 'GE T', 'GET\r', 'GÉT']) {
      assert.equal(headProblem({ ...head('host', 'a'), method }), 'bad method');
    }
  });
});

describe('a head that must not reach a route', () => {
  const wrong: readonly (readonly [problem: string, headers: readonly string[]])[] = [
    ['no host header', []],
    ['no host header', ['x-host', 'a']],
    ['more than one host header', ['host', 'a', 'host', 'a']],
    ['more than one host header', ['host', 'a', 'x-a', '', 'host', 'b']],
    ['more than one content-length header', ['host', 'a', 'content-length', '1', 'content-length', '1']],
    [
      'more than one transfer-encoding header',
      ['host', 'a', 'transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'],
    ],
    ['bad header name', ['host', 'a', '', 'x']],
    ['bad header name', ['host', 'a', 'x a', 'x']],
    ['bad header name', ['host', 'a', 'transfer-encoding ', 'chunked']],
    ['bad header name', ['host', 'a', 'x:y', 'x']],
    ['bad header name', ['host', 'a', 'x\r\ny', 'x']],
    ['bad header name', ['host', 'a', 'ä', 'x']],
    ['control character in a header', ['host', 'a', 'x-a', 'b\r\nhost: c']],
    ['control character in a header', ['host', 'a', 'x-a', 'b\nc']],
    ['control character in a header', ['host', 'a', 'x-a', 'b\rc']],
    ['control character in a header', ['host', 'a', 'x-a', 'b\0c']],
    ['control character in a header', ['host', 'a\u007f']],
    ...['', ' ', '+1', '-1', '1 ', '0x10', '1e3', '1.0', '1, 1', '1,1', '1234567890123456', '\u0661'].map(
      (length) => ['bad content-length', ['host', 'a', 'content-length', length]] as const,
    ),
    ...[
      '',
      'gzip',
      'gzip, chunked',
      'chunked, chunked',
      'chunked;q=1',
      'identity',
      'xchunked',
      'chun\u212aed',
    ].map(
      (encoding) =>
        ['transfer-encoding other than chunked', ['host', 'a', 'transfer-encoding', encoding]] as const,
    ),
    [
      'both content-length and transfer-encoding',
      ['host', 'a', 'content-length', '3', 'transfer-encoding', 'chunked'],
    ],
    [
      'both content-length and transfer-encoding',
      ['host', 'a', 'transfer-encoding', 'chunked', 'content-length', '0'],
    ],
  ];
  for (const [problem, headers] of wrong) {
    it(`has ${problem}: ${JSON.stringify(headers)}`, () => {
      assert.equal(headProblem(head(...headers)), problem);
    });
  }
});
