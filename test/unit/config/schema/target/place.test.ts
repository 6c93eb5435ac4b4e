import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MATCH_ALL } from '../../../../../src/config/schema/route/route-match.ts';
import { placeOfListener, placeOfRoute, placeOfRule } from '../../../../../src/config/schema/target/place.ts';
import type { RouteMatch } from '../../../../../src/config/types/route.ts';

/** A valid metric label. */
const LABEL = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;

function matchOf(keys: Partial<RouteMatch>): RouteMatch {
  return { ...MATCH_ALL, ...keys };
}

function nameOf(keys: Partial<RouteMatch>, route: string | null = null): string {
  return placeOfRoute('web', route, matchOf(keys)).cluster;
}

/** Returns the name with a word in place of its digest. */
function readable(name: string): string {
  return name.replace(/-[\da-f]{10}$/, '-DIGEST');
}

const pairs = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'x-y'), fc.constantFrom('1', '2')), {
    selector: ([name]) => name,
    maxLength: 2,
  })
  .map((entries) => new Map(entries));
const segment = fc.constantFrom('a', 'b', 'a-b', 'a--b', 'a.b', 'B', '%C3%A4', '-', '');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const host = fc.constantFrom(
  'a',
  'b',
  'a.b',
  'a-b.b',
  '*.a.b',
  '[::1]',
  '10.0.0.1',
  'xn--a.b',
  'a.b-b',
  'a.b--b',
);
const match = fc.record({
  hosts: fc.uniqueArray(host, { maxLength: 2 }),
  path: fc.option(path, { freq: 1 }),
  pathPrefix: fc.option(path),
  pathRegex: fc.option(fc.constantFrom('^/a$', '/b'), { freq: 1 }),
  headers: pairs,
  query: pairs,
  subprotocol: fc.option(fc.constantFrom('chat', 'chat.v2'), { freq: 1 }),
  clientCertificate: fc.constantFrom(null, null, { subject: 'CN=a', san: null, fingerprint: null }),
});

/** A text that is the same for matches with the same meaning. */
function meaningOf({ hosts, headers, query, pathPrefix, ...others }: RouteMatch): string {
  const prefix = pathPrefix === '/' ? null : pathPrefix;
  return JSON.stringify([hosts.toSorted(), [...headers].toSorted(), [...query].toSorted(), prefix, others]);
}

describe('the name of a place', () => {
  it("is the listener's, with the name of a route", () => {
    assert.equal(placeOfListener('l7-8080')?.cluster, 'l7-8080');
    assert.equal(placeOfListener(''), null);
    assert.equal(nameOf({ pathPrefix: '/api' }, 'chat'), 'web-chat');
    const long = placeOfRoute('l'.repeat(40), 'r'.repeat(40), MATCH_ALL).cluster;
    assert.match(long, LABEL);
    assert.match(long, /^l{40}-r{11}-[\da-f]{10}$/);
  });

  it('says what a route without a name matches', () => {
    const names: readonly (readonly [Partial<RouteMatch>, string])[] = [
      [{}, 'web'],
      [{ pathPrefix: '/' }, 'web'],
      [{ pathPrefix: '/api' }, 'web-api'],
      [{ pathPrefix: '/api/v1' }, 'web-api--v1'],
      [{ pathPrefix: '/my-app' }, 'web-my-app'],
      [{ hosts: ['chat.example.com'] }, 'web-chat.example.com'],
      [{ hosts: ['chat.example.com'], pathPrefix: '/ws' }, 'web-chat.example.com--ws'],
      [{ path: '/api' }, 'web-api-DIGEST'],
      [{ pathPrefix: '/socket.io/' }, 'web-socket.io-DIGEST'],
      [{ hosts: ['*.example.com', 'a.example'] }, 'web-example.com-DIGEST'],
      [{ pathPrefix: '/api', headers: new Map([['x-canary', 'always']]) }, 'web-api-x-canary-DIGEST'],
      [{ pathRegex: '^/room/[0-9]+$' }, 'web-room-0-9-DIGEST'],
      [{ clientCertificate: { subject: 'CN=a', san: null, fingerprint: null } }, 'web-DIGEST'],
    ];
    for (const [keys, name] of names) assert.equal(readable(nameOf(keys)), name);
  });

  it('says which server names a rule of passthrough has', () => {
    const name = (...names: readonly string[]): string => readable(placeOfRule('tcp', names).cluster);
    assert.equal(name('db.example.com'), 'tcp-db.example.com');
    assert.equal(name('*.example.com'), 'tcp-example.com-DIGEST');
    assert.equal(name('a.example', 'b.example'), 'tcp-a.example-DIGEST');
    assert.equal(placeOfRule('tcp', ['a', 'b']).cluster, placeOfRule('tcp', ['b', 'a']).cluster);
  });

  it('is a label of metrics, equal for equal matches and different for others', () => {
    fc.assert(
      fc.property(match, match, (one, other) => {
        const [first, second] = [nameOf(one), nameOf(other)];
        assert.match(first, LABEL);
        assert.equal(first === second, meaningOf(one) === meaningOf(other), `${first} ${second}`);
      }),
      { numRuns: 3000 },
    );
  });

  it('does not depend on the order of hosts, headers and parameters', () => {
    fc.assert(
      fc.property(match, (one) => {
        const other = {
          ...one,
          hosts: one.hosts.toReversed(),
          headers: new Map([...one.headers].toReversed()),
          query: new Map([...one.query].toReversed()),
        };
        assert.equal(nameOf(other), nameOf(one));
      }),
    );
  });
});
