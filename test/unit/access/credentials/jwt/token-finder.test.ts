import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findToken } from '../../../../../src/access/credentials/jwt/token-finder.ts';
import type { TokenSource } from '../../../../../src/config/types/access.ts';
import { requestOf } from './method-rig.ts';

const AUTHORIZATION: TokenSource = { kind: 'header', name: 'authorization' };
const QUERY: TokenSource = { kind: 'query', name: 'token' };
const OFFER: TokenSource = { kind: 'subprotocol', name: 'bearer' };
const OFFERED = 'sec-websocket-protocol';

/** Finds a token that must be there. */
function found(
  headers: readonly string[],
  sources: readonly TokenSource[],
  query = '',
): Exclude<ReturnType<typeof findToken>, string> {
  const token = findToken(requestOf(headers, query), sources);
  assert.ok(typeof token !== 'string', 'no token was found');
  return token;
}

const missing = (headers: readonly string[], sources: readonly TokenSource[], query = ''): unknown =>
  findToken(requestOf(headers, query), sources);

describe('a token in a header', () => {
  it('follows the scheme Bearer, in any case and after any number of spaces', () => {
    for (const value of ['Bearer t.o.k', 'bearer t.o.k', 'BEARER   t.o.k  ']) {
      assert.deepEqual(found(['authorization', value], [AUTHORIZATION]), {
        text: 't.o.k',
        head: null,
        subprotocol: null,
      });
    }
  });

  it('is missing in other schemes', () => {
    for (const value of ['Basic YTpi', 'Bearer', 'Bearer  ', 'Bearert.o.k', 'DPoP t.o.k', '']) {
      assert.equal(missing(['authorization', value], [AUTHORIZATION]), 'missing', value);
    }
  });

  it('is the whole value of another header', () => {
    const source: TokenSource = { kind: 'header', name: 'x-token' };
    assert.equal(found(['x-token', ' t.o.k '], [source]).text, 't.o.k');
  });

  it('is refused in a repeated header', () => {
    const headers = ['authorization', 'Bearer a', 'authorization', 'Bearer b'];
    assert.equal(missing(headers, [AUTHORIZATION]), 'repeated');
  });
});

describe('a token in a cookie', () => {
  it('is found among others, and the cookies stay', () => {
    const source: TokenSource = { kind: 'cookie', name: 'session' };
    const token = found(['cookie', 'a=1; session="t.o.k"; session=other'], [source]);
    assert.deepEqual([token.text, token.head], ['t.o.k', null]);
    assert.equal(missing(['cookie', 'asession=1; session='], [source]), 'missing');
  });
});

describe('a token in the query', () => {
  it('is removed with all pairs of its name', () => {
    const token = found([], [QUERY], 'a=1&token=t.o.k&b=%20&%74oken=other&token');
    assert.equal(token.text, 't.o.k');
    assert.equal(token.head?.query, 'a=1&b=%20');
    assert.equal(found([], [QUERY], 'token=t.o.k').head?.query, '');
    assert.equal(found([], [QUERY], 'token=t%2Eo.k').text, 't.o.k');
  });

  it('is removed even if another source has a token', () => {
    const token = found(['authorization', 'Bearer first'], [AUTHORIZATION, QUERY], 'token=second&x');
    assert.deepEqual([token.text, token.head?.query], ['first', 'x']);
  });

  it('keeps other queries byte for byte', () => {
    const headers = ['authorization', 'Bearer t'];
    for (const query of ['', '&&', 'a=%zz&b', 'Token=1', 'tokens=1', 'x=token', '%zztoken=1']) {
      assert.equal(found(headers, [AUTHORIZATION, QUERY], query).head, null, query);
    }
  });

  it('never remains visible to a reader that decodes the query', () => {
    const pair = fc.constantFrom(
      'token=x',
      '%74oken=x',
      'tok%65n',
      'to+ken=1',
      'a=token',
      'token%',
      '=',
      'b=%41',
      '',
    );
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 8 }), (pairs) => {
        const query = pairs.join('&');
        const { head } = found(['authorization', 'Bearer t'], [AUTHORIZATION, QUERY], query);
        const rest = new URLSearchParams(`&${head?.query ?? query}`);
        assert.equal(rest.has('token'), false);
        const others = [...new URLSearchParams(`&${query}`)].filter(([name]) => name !== 'token');
        assert.deepEqual([...rest], others);
      }),
    );
  });
});

describe('a token among the offered subprotocols', () => {
  it('follows its name, and both are removed', () => {
    const headers = ['host', 'a', OFFERED, 'chat, bearer, t.o.k, json', 'x', 'y'];
    const token = found(headers, [OFFER]);
    assert.deepEqual([token.text, token.subprotocol], ['t.o.k', 'bearer']);
    assert.deepEqual(token.head?.headers, ['host', 'a', OFFERED, 'chat, json', 'x', 'y']);
  });

  it('may be one member with its name', () => {
    const token = found([OFFERED, 'chat, bearer.t.o.k'], [OFFER]);
    // Browsers close a WebSocket that is answered a subprotocol which they have not offered.
    assert.deepEqual([token.text, token.subprotocol], ['t.o.k', 'bearer.t.o.k']);
    assert.deepEqual(token.head?.headers, [OFFERED, 'chat']);
  });

  it('is removed with all other tokens', () => {
    for (const offer of ['bearer, a, x, bearer, b', 'bearer.a, bearer, b, x', 'bearer, a, bearer.b, x']) {
      const { text, head } = found([OFFERED, offer], [OFFER]);
      assert.deepEqual([text, head?.headers], ['a', [OFFERED, 'x']], offer);
    }
  });

  it('is ignored if no response could repeat it', () => {
    assert.equal(missing([OFFERED, 'bearer.t.o.k "'], [OFFER]), 'missing');
  });

  it('is answered with the member that carried it', () => {
    const subprotocolOf = (offer: string) => found([OFFERED, offer], [OFFER]).subprotocol;
    assert.equal(subprotocolOf('bearer, t.o.k, bearer.second'), 'bearer');
    assert.equal(subprotocolOf('bearer.t.o.k, bearer, second, bearer.third'), 'bearer.t.o.k');
  });

  it('removes the header if nothing else is offered', () => {
    const { head } = found(['a', '1', OFFERED, 'bearer, t.o.k', 'b', '2'], [OFFER]);
    assert.deepEqual(head?.headers, ['a', '1', 'b', '2']);
  });

  it('is found across several lines, which keep the spelling of their names', () => {
    const request = requestOf(['a', '1', OFFERED, 'chat, bearer', OFFERED, 't.o.k', 'b', '2']);
    const names = ['A', 'Sec-WebSocket-Protocol', 'sec-websocket-protocol', 'B'];
    const token = findToken({ ...request, head: { ...request.head, names } }, [OFFER]);
    assert.ok(typeof token !== 'string');
    assert.equal(token.text, 't.o.k');
    assert.deepEqual(token.head?.headers, ['a', '1', OFFERED, 'chat', 'b', '2']);
    assert.deepEqual(token.head.names, ['A', 'Sec-WebSocket-Protocol', 'B']);
  });

  it('is missing if its name comes last or in another case', () => {
    for (const offer of ['bearer', 'chat, bearer', 'Bearer, t.o.k', 'bearers, t.o.k']) {
      assert.equal(missing([OFFERED, offer], [OFFER]), 'missing', offer);
    }
  });

  it('is ignored in requests other than upgrades', () => {
    const request = { ...requestOf([OFFERED, 'bearer, t.o.k']), wantsUpgrade: false };
    assert.equal(findToken(request, [OFFER]), 'missing');
  });
});

describe('several sources', () => {
  const sources: readonly TokenSource[] = [{ kind: 'cookie', name: 's' }, OFFER, QUERY, AUTHORIZATION];

  it('are checked in order', () => {
    const headers = ['authorization', 'Bearer header', OFFERED, 'bearer, offer', 'cookie', 's=cookie'];
    assert.equal(found(headers, sources, 'token=query').text, 'cookie');
    assert.equal(found(headers.slice(0, 4), sources, 'token=query').text, 'offer');
    assert.equal(found(headers.slice(0, 2), sources, 'token=query').text, 'query');
    assert.equal(found(headers.slice(0, 2), sources).text, 'header');
    assert.equal(missing([], sources), 'missing');
  });
});
