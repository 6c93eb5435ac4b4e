import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyReading } from '../../../src/routing/path-readings.ts';
import { router } from './path-router.ts';

const guarded = router({ guard: { pathPrefix: '/admin' }, open: { pathPrefix: '/' } });

describe('a path with several readings', () => {
  it('takes the guarding route if only the spelling of letters differs', () => {
    for (const raw of ['/admin', '/%61dmin/x', '/./admin', '/x/../admin', '/x/%2e%2e/admin']) {
      assert.match(guarded(raw), /^guard \/admin/, raw);
    }
  });

  it('must not escape the routes either', () => {
    const published = router({ app: { pathPrefix: '/app' } });
    assert.equal(published('/app/..%2finternal'), 'ambiguous');
    assert.equal(published('/app/a%2Fb'), 'app /app/a%2Fb');
    assert.equal(published('//app'), 'no route');
  });

  it('is forwarded unchanged if every reading takes the same route', () => {
    const route = router({
      api: { pathPrefix: '/api' },
      scope: { pathPrefix: '/@scope' },
      open: { pathPrefix: '/' },
    });
    for (const path of [
      '/api/v4/projects/group%2Frepo',
      '/api/a//b',
      '/api/x;v=1/y',
      '/api/my%20file%20.txt%20',
      '/api/%E0%B8%81/%F0%9F%98%80/%E2%82%AC',
      '/api/https%3A%2F%2Fh%2Fp%3Fa%3Db',
    ]) {
      assert.equal(route(path), `api ${path}`);
    }
    assert.equal(route('/api/%252Fx;a/b//c%2Fd'), 'api /api/%252Fx;a/b//c%2Fd');
    assert.equal(route('/@types%2fnode'), 'open /@types%2Fnode');
    assert.equal(route('/@scope%2fname'), 'ambiguous');
    const npm = router({ all: {} });
    assert.equal(npm('/@scope%2fname'), 'all /@scope%2Fname');
  });

  it("is matched with the routes' other conditions", () => {
    const silver = router({
      guard: { pathPrefix: '/admin', headers: new Map([['x-tier', 'silver']]) },
      open: {},
    });
    assert.equal(silver('//admin'), 'open //admin');
    const gold = router({
      guard: { pathPrefix: '/admin', headers: new Map([['x-tier', 'gold']]) },
      open: {},
    });
    assert.equal(gold('//admin'), 'ambiguous');
    const host = router({ guard: { pathPrefix: '/admin', hosts: ['other.example'] }, open: {} });
    assert.equal(host('//admin'), 'open //admin');
  });

  it('is matched against exact paths and expressions', () => {
    const exact = router({ guard: { path: '/admin' }, open: {} });
    assert.equal(exact('/admin;x'), 'ambiguous');
    assert.equal(exact('/admin;/x/y'), 'ambiguous');
    assert.equal(exact('/admin/x;y'), 'open /admin/x;y');
    const expression = router({ guard: { pathRegex: '^/(?:admin|root)(?:/|$)' }, open: {} });
    assert.equal(expression('/x%2F..%2Froot/y'), 'ambiguous');
  });

  it('treats harmless escapes as their characters, in requests and patterns', () => {
    const plain = router({ guard: { pathPrefix: '/$metadata' }, open: {} });
    assert.equal(plain('/%24metadata'), 'ambiguous');
    const escaped = router({ guard: { pathPrefix: '/%40admin' }, open: {} });
    assert.equal(escaped('/@admin/x'), 'guard /@admin/x');
    assert.equal(escaped('/%40admin/x'), 'guard /%40admin/x');
  });

  it('is matched with the query after a decoded question mark', () => {
    const debug = new Map([['debug', '1']]);
    const route = router({ guard: { path: '/x', query: debug }, open: {} });
    for (const raw of [
      '/x%3fdebug=1',
      '/x%3Fa%26debug%3D1',
      '/x%253fdebug=1',
      '/x;v%3Fdebug=1',
      '//h/x%3Fdebug=1%23f',
      '/y/..%2fx%3F%64ebug=%31',
    ]) {
      assert.equal(route(raw), 'ambiguous', raw);
      assert.equal(route(raw, 'z=1'), 'ambiguous', raw);
    }
    assert.equal(route('/x%3Fdebug=2'), 'open /x%3Fdebug=2');
    assert.equal(route('/x%3Fz', 'debug=1'), 'ambiguous');
    assert.equal(route('/x%3Fdebug=2', 'debug=0'), 'open /x%3Fdebug=2');
    const opened = router({ open: { path: '/x', query: debug }, guard: { path: '/x' }, other: {} });
    assert.equal(opened('/x%3Fz', 'debug=1'), 'ambiguous');
  });

  it('is never refused if no other route can take one of its readings', () => {
    const odd = [
      '/proxy/https:%2F%2Fexample.com%2Fa%5Cb%253Bc;d//e%20',
      '/r/%20/%2F/;/%5C',
      '/x/%2f;//%5c%20',
      `/a%2fb//c;d/${'x'.repeat(8000)}`,
      `/${'a%2F//;b%3Bc'.repeat(600)}`,
      `/${'x;%2F%5C%252e%253B%20//'.repeat(300)}`,
      `/%${'25'.repeat(3900)}2F`,
    ];
    const deep = `/${'%253'.repeat(2000)}1`;
    for (const raw of [...odd, deep]) {
      assert.match(router({ all: {} })(raw), /^all /, raw);
      assert.match(router({ all: { pathPrefix: '/' } })(raw), /^all /, raw);
      assert.match(router({ all1: { pathRegex: '^/x' }, all2: {} })(raw), /^all\d /, raw);
    }
    for (const raw of odd) {
      assert.match(guarded(raw), /^open /, raw);
      const elsewhere = { hosts: ['other.example'], pathRegex: '^/r' };
      assert.match(router({ guard: elsewhere, open: {} })(raw), /^open /, raw);
    }
    const api = router({ api: { pathPrefix: '/api/v1' }, page: { pathPrefix: '/api' }, web: {} });
    for (const raw of odd) assert.match(api(`/api/v1${raw}`), /^api /, raw);
    for (const raw of odd) assert.match(api(`/api${raw}`), /^page /, raw);
  });

  it('is refused if a route takes only some of its readings', () => {
    const long = 'x'.repeat(8000);
    const api = router({ api: { pathPrefix: '/api/v1' }, page: { pathPrefix: '/api' }, web: {} });
    assert.equal(api(`/api/v1/..%2f..;/x//${long}`), 'ambiguous');
    assert.equal(api(`/api/y/v1/..%2f..;/v1%2Fx//${long}`), 'ambiguous');
    assert.equal(api(`/api%2Fv1/${long}`), 'ambiguous');
    const published = router({ app: { path: '/app' }, app2: { pathPrefix: '/app/x' } });
    assert.equal(published('/app/x/%2e%2e%2fy'), 'ambiguous');
    const regex = router({ guard: { pathRegex: '(?:admin)' }, open: {} });
    assert.equal(regex(`/ad%09min/${long}`), 'ambiguous');
    const header = router({ open: { headers: new Map([['x-tier', 'gold']]) }, guard: {} });
    assert.equal(header(`/a%2fb//c;d/${long}`), `open /a%2Fb//c;d/${long}`);
  });

  it('is refused for another reason if it has too many readings to check', () => {
    const route = router({ guard: { pathRegex: '^/(?:admin|root)(?:/|$)' }, open: {} });
    assert.equal(route(`/%${'25'.repeat(3900)}2F`), 'too many');
    assert.equal(route(`/${'a%2F//;b%3Bc'.repeat(600)}`), 'too many');
    assert.equal(route(`/${'a%2F'.repeat(2000)}`), `open /${'a%2F'.repeat(2000)}`);
    assert.equal(route(`/a%2fb//c;d/${'x'.repeat(8000)}`), `open /a%2Fb//c;d/${'x'.repeat(8000)}`);
    for (const raw of [
      '/proxy/https:%2F%2Fexample.com%2Fa%5Cb%253Bc;d//e%20',
      '/r/%20/%2F/;/%5C',
      '/x/%2f;//%5c%20%252f%253b',
    ]) {
      assert.match(route(raw), /^open /, raw);
    }
  });

  it('gets fewer readings checked if they are long or expressions are many', () => {
    const looksAt = (path: string, expressions: number): number => {
      let looks = 0;
      const holds = (): boolean => ++looks > 0;
      everyReading(path, path, { usesQuery: false, expressions, accepts: holds });
      return looks;
    };
    const short = '/a%252F;b//..%2F..;%3B%5C%25252f%09%23/%253Fx%255c%20';
    assert.ok(looksAt(short, 0) > 300, `${looksAt(short, 0)} looks`);
    assert.ok(looksAt(short, 0) < 800, `${looksAt(short, 0)} looks`);
    assert.ok(looksAt(short, 10_000) < 400, `${looksAt(short, 10_000)} looks`);
    const long = short.repeat(160);
    assert.ok(looksAt(long, 0) < 10, `${looksAt(long, 0)} looks`);
  });
});
