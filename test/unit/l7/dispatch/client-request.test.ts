import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkRequest } from '../../../../src/l7/dispatch/client-request.ts';

const PATHS = {
  ambiguous: 'refuse',
  mergeSlashes: false,
  escapedSlashes: 'refuse',
  pathParameters: 'keep',
} as const;

/** Returns the reason for refusing a request. */
function problemOf(headers: readonly string[], target = '/', query = '', method = 'GET'): string | null {
  const checked = checkRequest({ method, path: target, query, headers }, PATHS, false);
  return 'problem' in checked ? checked.problem : null;
}

describe('an invalid request', () => {
  const CASES: readonly (readonly [string | null, string[], string?, string?, string?])[] = [
    [null, ['host', 'a']],
    ['bad_method', ['host', 'a'], '/', '', 'GE T'],
    ['bad_header', ['host', 'a', 'x y', '1']],
    ['bad_header', ['host', 'a', 'x', 'a\u0001b']],
    ['bad_host', []],
    ['bad_host', ['host', 'a', 'host', 'a']],
    ['bad_host', ['host', 'a b']],
    ['bad_framing', ['host', 'a', 'content-length', '1', 'content-length', '1']],
    ['bad_framing', ['host', 'a', 'content-length', '-1']],
    ['bad_framing', ['host', 'a', 'transfer-encoding', 'gzip']],
    ['bad_framing', ['host', 'a', 'transfer-encoding', 'chunked', 'transfer-encoding', 'chunked']],
    ['bad_framing', ['host', 'a', 'content-length', '1', 'transfer-encoding', 'chunked']],
    ['bad_target', ['host', 'a'], '*'],
    ['bad_target', ['host', 'a'], '/', 'a#b'],
    ['bad_target', ['host', 'a'], '/a%2Fb'],
  ];
  for (const [problem, ...request] of CASES) {
    it(`counts as ${problem ?? 'nothing if it is valid'}: ${JSON.stringify(request)}`, () => {
      assert.equal(problemOf(...request), problem);
    });
  }
});

describe('a request without a host', () => {
  const ask = (isHttp10: boolean, ...headers: string[]): ReturnType<typeof checkRequest> =>
    checkRequest(
      { method: 'GET', path: '/', query: '', headers, ...(isHttp10 && { isHttp10 }) },
      PATHS,
      false,
    );

  it('is valid only in HTTP/1.0', () => {
    for (const headers of [[], ['host', '']]) {
      const checked = ask(true, ...headers);
      assert.equal('host' in checked ? checked.host : null, '');
      assert.ok('problem' in ask(false, ...headers));
    }
    assert.ok('problem' in ask(true, 'host', 'a b'));
  });
});

describe('the target *', () => {
  it('is valid only for OPTIONS', () => {
    const checked = checkRequest(
      { method: 'OPTIONS', path: '*', query: '', headers: ['host', 'a'] },
      PATHS,
      false,
    );
    assert.equal('path' in checked ? checked.path : null, '*');
    assert.equal(problemOf(['host', 'a'], '*', '', 'options'), 'bad_target');
  });
});
