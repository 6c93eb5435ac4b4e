import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ClientCertificateMatch, RouteMatch } from '../../../src/config/types/route.ts';
import type { RouteHit, RouteRefusal } from '../../../src/routing/compiled-route.ts';
import type { RouteRequest } from '../../../src/routing/route-request.ts';
import { createRouteTable } from '../../../src/routing/route-table-builder.ts';
import type { ClientCertificate } from '../../../src/wire/tls/client-certificate.ts';
import { ANY } from './any-match.ts';

/** Returns a table whose routes have their indexes as values. */
function tableOf(...matches: readonly Partial<RouteMatch>[]): {
  /** Throws for a request that is refused. */
  match(request: RouteRequest): RouteHit<number> | null;
  answer(request: RouteRequest): RouteHit<number> | RouteRefusal | null;
} {
  const table = createRouteTable(matches.map((match, value) => ({ match: { ...ANY, ...match }, value })));
  return {
    match: (request) => {
      const answer = table.match(request);
      if (answer !== null && 'status' in answer) throw new Error(`refused: ${answer.reason}`);
      return answer;
    },
    answer: (request) => table.match(request),
  };
}

function request(
  path: string,
  parts: {
    host?: string;
    query?: string;
    headers?: Record<string, string | null>;
    subprotocols?: string[];
  } = {},
): RouteRequest {
  const headers = new Map(Object.entries(parts.headers ?? {}));
  return {
    host: parts.host ?? 'example.com',
    path,
    query: parts.query ?? '',
    subprotocols: parts.subprotocols ?? [],
    certificate: null,
    header: (name) => headers.get(name),
  };
}

describe('RouteTable', () => {
  it('matches an exact path and nothing else', () => {
    const table = tableOf({ path: '/chat' });
    assert.equal(table.match(request('/chat'))?.value, 0);
    for (const path of ['/', '/chat/', '/Chat', '/chat/x', '/chatter'])
      assert.equal(table.match(request(path)), null);
  });

  it('matches a prefix at segment boundaries', () => {
    const table = tableOf({ pathPrefix: '/chat' });
    for (const path of ['/chat', '/chat/', '/chat/x', '/chat//x'])
      assert.equal(table.match(request(path))?.value, 0, path);
    for (const path of ['/chatter', '/cha', '/', '/x/chat', '//chat'])
      assert.equal(table.match(request(path)), null, path);
  });

  it('matches what starts with a prefix that ends in a slash', () => {
    const table = tableOf({ pathPrefix: '/chat/' });
    for (const path of ['/chat/', '/chat/x']) assert.equal(table.match(request(path))?.value, 0, path);
    for (const path of ['/chat', '/chatter/']) assert.equal(table.match(request(path)), null, path);
  });

  it('matches every path with the prefix of a slash', () => {
    const table = tableOf({ pathPrefix: '/' });
    for (const path of ['/', '/a', '//a/b']) assert.equal(table.match(request(path))?.value, 0, path);
  });

  it('compares configured paths in the form that request paths have', () => {
    const table = tableOf({ path: '/caf%c3%a9' }, { pathPrefix: '/caf%c3%a9/' });
    assert.equal(table.match(request('/caf%C3%A9'))?.value, 0);
    assert.equal(table.match(request('/caf%C3%A9/x'))?.value, 1);
  });

  it('returns the groups of an expression', () => {
    const table = tableOf({ pathRegex: '^/old/(.*?)(\\.html)?$' }, { pathRegex: '^/plain' });
    assert.deepEqual(table.match(request('/old/a/b'))?.groups, ['a/b', '']);
    assert.deepEqual(table.match(request('/old/a.html'))?.groups, ['a', '.html']);
    assert.deepEqual(table.match(request('/plain/x')), { value: 1, groups: [] });
    assert.equal(table.match(request('/older')), null);
  });

  it('refuses a path that is too long for an expression, unless a route before takes it', () => {
    const long = `/${'a'.repeat(8 * 1024)}`;
    const table = tableOf(
      { pathPrefix: '/free' },
      { pathRegex: '^/a', headers: new Map([['x-tier', 'gold']]) },
      {},
    );
    const gold = { headers: { 'x-tier': 'gold' } };
    const refusal = { status: 414, reason: 'the path is longer than 8192 bytes' };
    assert.deepEqual(table.answer(request(long, gold)), refusal);
    assert.deepEqual(table.answer(request(long.replace('/a', '/b'), gold)), refusal);
    assert.equal(table.match(request(long.slice(0, -1), gold))?.value, 1);
    assert.equal(table.match(request(long))?.value, 2);
    assert.equal(table.match(request(`/free${long}`, gold))?.value, 0);
  });

  it('refuses repeated lines of a header in a condition', () => {
    const table = tableOf(
      { pathPrefix: '/free' },
      { pathPrefix: '/a', headers: new Map([['x-debug', '1']]) },
      {
        headers: new Map([
          ['x-debug', '1'],
          ['x-tier', 'gold'],
        ]),
      },
      {},
    );
    const twice = { headers: { 'x-debug': null } };
    assert.deepEqual(table.answer(request('/a', twice)), {
      status: 400,
      reason: 'more than one x-debug header',
    });
    assert.equal(table.match(request('/free', twice))?.value, 0);
    assert.equal(table.match(request('/b', twice))?.value, 3);
  });

  it('refuses several values of a query parameter in a condition, and does not split at semicolons', () => {
    const table = tableOf({ query: new Map([['debug', '1']]) }, {});
    const refusal = { status: 400, reason: 'a query parameter has more than one value' };
    for (const query of ['debug=0&debug=1', 'debug=1&debug', '%64ebug=2&debug=1']) {
      assert.deepEqual(table.answer(request('/', { query })), refusal, query);
    }
    assert.equal(table.match(request('/', { query: 'debug=1&x=1&debug=1' }))?.value, 0);
    assert.equal(table.match(request('/', { query: 'x;debug=1' }))?.value, 1);
    assert.equal(table.match(request('/', { query: 'debug=2&debug=3' }))?.value, 1);
  });

  it('matches a host exactly', () => {
    const table = tableOf({ hosts: ['example.com'] });
    assert.equal(table.match(request('/'))?.value, 0);
    assert.equal(table.match(request('/', { host: 'www.example.com' })), null);
  });

  it('matches each host of a list', () => {
    const table = tableOf({ hosts: ['example.com', '*.example.com', 'other.test'], pathPrefix: '/a' }, {});
    for (const host of ['example.com', 'a.b.example.com', 'other.test']) {
      assert.equal(table.match(request('/a', { host }))?.value, 0, host);
      assert.equal(table.match(request('/b', { host }))?.value, 1, host);
    }
    assert.equal(table.match(request('/a', { host: 'x.other.test' }))?.value, 1);
  });

  it('matches the star of a host to one label or more', () => {
    const table = tableOf({ hosts: ['*.example.com'] });
    for (const host of ['a.example.com', 'a.b.example.com'])
      assert.equal(table.match(request('/', { host }))?.value, 0);
    for (const host of ['example.com', '.example.com', 'badexample.com', 'example.com.evil', 'com']) {
      assert.equal(table.match(request('/', { host })), null, host);
    }
  });

  it('compares header values as bytes of UTF-8', () => {
    const table = tableOf({ headers: new Map([['x-city', 'K\u00f6ln \u{1f44b}']]) });
    const bytes = 'K\xc3\xb6ln \xf0\x9f\x91\x8b';
    assert.equal(table.match(request('/', { headers: { 'x-city': bytes } }))?.value, 0);
    assert.equal(table.match(request('/', { headers: { 'x-city': 'K\xf6ln' } })), null);
  });

  it('compares header values exactly and their names without case', () => {
    const table = tableOf({ headers: new Map([['X-Tier', 'gold']]) });
    assert.equal(table.match(request('/', { headers: { 'x-tier': 'gold' } }))?.value, 0);
    for (const tier of ['Gold', 'golden', '']) {
      assert.equal(table.match(request('/', { headers: { 'x-tier': tier } })), null);
    }
    assert.equal(table.match(request('/')), null);
  });

  it('compares query pairs after decoding', () => {
    const table = tableOf({
      query: new Map([
        ['v', '2'],
        ['room', 'a b'],
      ]),
    });
    assert.equal(table.match(request('/', { query: 'v=2&v=2&room=a+b' }))?.value, 0);
    assert.equal(table.match(request('/', { query: 'v=2' })), null);
    assert.equal(table.match(request('/')), null);
  });

  it('finds one subprotocol among those offered', () => {
    const table = tableOf({ subprotocol: 'chat.v2' });
    assert.equal(table.match(request('/', { subprotocols: ['chat.v1', 'chat.v2'] }))?.value, 0);
    assert.equal(table.match(request('/', { subprotocols: ['chat.v1'] })), null);
  });

  it('requires every condition that is set', () => {
    const table = tableOf({ hosts: ['example.com'], pathPrefix: '/a', pathRegex: 'b$', subprotocol: 's' });
    assert.equal(table.match(request('/a/b', { subprotocols: ['s'] }))?.value, 0);
    assert.equal(table.match(request('/a/b')), null);
    assert.equal(table.match(request('/a/c', { subprotocols: ['s'] })), null);
    assert.equal(table.match(request('/a/b', { host: 'a.com', subprotocols: ['s'] })), null);
  });

  it('takes the first match, however specific a later one is', () => {
    const table = tableOf({ pathPrefix: '/' }, { hosts: ['example.com'], path: '/chat' });
    assert.equal(table.match(request('/chat'))?.value, 0);
    const turned = tableOf({ hosts: ['example.com'], path: '/chat' }, { pathPrefix: '/' });
    assert.equal(turned.match(request('/chat'))?.value, 0);
    assert.equal(turned.match(request('/other'))?.value, 1);
  });

  it('matches nothing without routes', () => {
    assert.equal(tableOf().match(request('/')), null);
  });

  it('finds what a linear search finds', () => {
    fc.assert(
      fc.property(
        fc.array(someMatch, { maxLength: 12 }),
        fc.array(someRequest, { minLength: 1, maxLength: 6 }),
        (matches, requests) => {
          const table = tableOf(...matches);
          for (const one of requests) {
            const expected = matches.findIndex((match) => holds(match, one));
            const answer = table.answer(one);
            if (answer !== null && 'status' in answer) {
              assert.equal(one.query, 'k=1&k=2');
              assert.equal(matches[expected]?.query.size, 1);
              continue;
            }
            assert.equal(answer?.value ?? -1, expected, `${one.host} ${one.path}?${one.query}`);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

const path = fc.oneof(
  fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/', '/ab', '//', '//a', '/a//b', '/a/b/c'),
  fc.array(fc.constantFrom('/', 'a', 'b', '/a'), { maxLength: 5 }).map((parts) => `/${parts.join('')}`),
);
const orNull = <V>(value: fc.Arbitrary<V>): fc.Arbitrary<V | null> =>
  fc.option(value, { nil: null, freq: 1 });
const pairs = (key: string): fc.Arbitrary<Map<string, string>> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(new Map<string, string>()) },
    { weight: 1, arbitrary: fc.constantFrom('1', '2').map((value) => new Map([[key, value]])) },
  );
const someMatch: fc.Arbitrary<RouteMatch> = fc.record({
  hosts: fc.uniqueArray(fc.constantFrom('a.com', 'b.a.com', 'com', '*.a.com', '*.com', '*.b.a.com'), {
    maxLength: 3,
  }),
  path: fc.option(path, { nil: null, freq: 2 }),
  pathPrefix: orNull(path),
  pathRegex: fc.option(fc.constantFrom('^/a', 'b$', '^/(a|b)/', '//'), { nil: null, freq: 3 }),
  headers: pairs('x-one'),
  query: pairs('k'),
  subprotocol: fc.option(fc.constantFrom('s1', 's2'), { nil: null, freq: 4 }),
  clientCertificate: fc.option(
    fc.record({
      subject: fc.constantFrom(null, 'CN=a', 'CN=b'),
      san: fc.constantFrom(null, 'a.com', 'spiffe://a', '::1', 'a@a.com'),
      fingerprint: fc.constantFrom(null, '11', '22'),
    }),
    { nil: null, freq: 3 },
  ),
});
const certificate: fc.Arbitrary<ClientCertificate> = fc.record({
  subject: fc.constantFrom('', 'CN=a', 'CN=b'),
  fingerprint: fc.constantFrom('11', '22'),
  names: fc.subarray([
    { kind: 'dns', value: 'a.com' },
    { kind: 'uri', value: 'spiffe://a' },
    { kind: 'ip', value: '::1' },
    { kind: 'email', value: 'a@a.com' },
    { kind: 'uri', value: 'a.com' },
    { kind: 'dns', value: 'spiffe://a' },
  ] as const),
});
const someRequest: fc.Arbitrary<RouteRequest> = fc
  .record({
    host: fc.constantFrom('a.com', 'b.a.com', 'c.b.a.com', 'com', 'xa.com', 'other'),
    path,
    query: fc.constantFrom('', 'k=1', 'k=2', 'k=1&k=2', 'k=%31', 'x=k=1'),
    subprotocols: fc.subarray(['s1', 's2', 's3']),
    certificate: orNull(certificate),
    one: fc.constantFrom(undefined, '1', '2'),
  })
  .map(({ one, ...rest }) => ({ ...rest, header: (name: string) => (name === 'x-one' ? one : undefined) }));

function holdsHost(host: string, asked: string): boolean {
  if (!host.startsWith('*.')) return host === asked;
  const labels = asked.split('.');
  const suffix = host.slice(2).split('.');
  return labels.length > suffix.length && labels.slice(-suffix.length).join('.') === suffix.join('.');
}

/** Returns true if a match takes a request, by a simple reading of the configuration's rules. */
function holds(match: RouteMatch, one: RouteRequest): boolean {
  const { hosts, pathPrefix } = match;
  if (hosts.length > 0 && !hosts.some((host) => holdsHost(host, one.host))) return false;
  if (match.path !== null && match.path !== one.path) return false;
  if (pathPrefix !== null) {
    const under = pathPrefix.endsWith('/') ? pathPrefix : `${pathPrefix}/`;
    if (one.path !== pathPrefix && !one.path.startsWith(under)) return false;
  }
  if (match.pathRegex !== null && !new RegExp(match.pathRegex).test(one.path)) return false;
  for (const [name, value] of match.headers) if (one.header(name) !== value) return false;
  for (const [key, value] of match.query) {
    if (!new URLSearchParams(one.query).getAll(key).includes(value)) return false;
  }
  if (match.subprotocol !== null && !one.subprotocols.includes(match.subprotocol)) return false;
  return match.clientCertificate === null || certificateHolds(match.clientCertificate, one.certificate);
}

function certificateHolds(
  { subject, san, fingerprint }: ClientCertificateMatch,
  certificate: ClientCertificate | null,
): boolean {
  if (certificate === null) return false;
  const kinds: Record<string, string> = {
    'a.com': 'dns',
    'spiffe://a': 'uri',
    '::1': 'ip',
    'a@a.com': 'email',
  };
  return (
    [null, certificate.subject].includes(subject) &&
    [null, certificate.fingerprint].includes(fingerprint) &&
    (san === null || certificate.names.some(({ kind, value }) => value === san && kind === kinds[san]))
  );
}
