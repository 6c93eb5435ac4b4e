import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PathSettings } from '../../../src/config/types/listener.ts';
import type { RouteMatch } from '../../../src/config/types/route.ts';
import { everyReading } from '../../../src/routing/path-readings.ts';
import { readPath } from '../../../src/routing/request-path.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';

const DEFAULTS: PathSettings = {
  ambiguous: 'refuse',
  mergeSlashes: false,
  escapedSlashes: 'keep',
  pathParameters: 'keep',
};
const ANY: RouteMatch = {
  host: null,
  path: null,
  pathPrefix: null,
  pathRegex: null,
  headers: new Map(),
  query: new Map(),
  subprotocol: null,
};

/** Routes whose names differ only in a digit do the same. */
function effectOf(name: string): string {
  return name.replace(/\d$/, '');
}

/** Says what becomes of a path: the path that goes to which route, or why it is refused. */
function router(
  routes: Readonly<Record<string, Partial<RouteMatch>>>,
  settings: Partial<PathSettings> = {},
): (raw: string, query?: string) => string {
  const table = new RouteTable(
    Object.entries(routes).map(([value, match]) => ({ match: { ...ANY, ...match }, value })),
  );
  return (raw, query = '') => {
    const read = readPath(raw, { ...DEFAULTS, ...settings });
    if (typeof read === 'string') return read;
    const { path, spelling } = read;
    const request = {
      host: 'example.com',
      path,
      query,
      subprotocols: [],
      header: (name: string) => (name === 'x-tier' ? 'gold' : undefined),
    };
    const hit = table.match(request);
    if (hit === null) return 'no route';
    if ('status' in hit) return hit.reason;
    const effect = effectOf(hit.value);
    const found =
      spelling === null
        ? 'all hold'
        : table.compareReadings(request, spelling, (other) => effectOf(other) === effect);
    if (found === 'all hold') return `${hit.value} ${path}`;
    return found === 'one does not' ? 'ambiguous' : found;
  };
}

const guarded = router({ guard: { pathPrefix: '/admin' }, open: { pathPrefix: '/' } });

/** What servers do to paths, written apart from the code that is tested. */
const MODELS: readonly ((path: string) => string)[] = [
  (path) => path.replace(/\/+/g, '/'),
  (path) => path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  (path) => path.replace(/%2f/gi, '/'),
  (path) =>
    path.replace(/%(?!2f)([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  (path) => path.replace(/\\/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/[;?#].*$/s, ''),
  (path) => path.replace(/[\t\r\n]/g, ''),
  (path) =>
    path
      .split('/')
      .map((segment) => segment.trim())
      .join('/'),
  (path) => {
    try {
      return new URL(path, 'http://host').pathname;
    } catch {
      return path;
    }
  },
  (path) => {
    const left: string[] = [];
    const segments = path.split('/').slice(1);
    for (const [place, segment] of segments.entries()) {
      if (segment === '..') left.pop();
      if (segment !== '..' && segment !== '.') left.push(segment);
      else if (place === segments.length - 1) left.push('');
    }
    return `/${left.join('/')}`;
  },
];

/** Every path that a server with up to so many of the models, in any order, can come to. */
function outcomesOf(path: string, models: number): Set<string> {
  const outcomes = new Set([path]);
  let last = [path];
  for (let round = 0; round < models; round++) {
    last = last
      .flatMap((outcome) => MODELS.map((model) => model(outcome)))
      .filter((next) => !outcomes.has(next));
    for (const outcome of last) outcomes.add(outcome);
  }
  return outcomes;
}

const PIECES = [
  ...['/', '/', '//', '%2f', '%2F', '%5c', '%252f', '%255C', '%c0%af', '\\'],
  ...['.', '..', '%2e', '%252e', '..;', '/..;/', '/../', '..%2f'],
  ...[';', ';v=1', '%3b', '%253B', '%3f', '%23', '%25'],
  ...['admin', 'admin', '/admin', '%61dmin', '%2561dmin', 'x', 'a.b', '%20', '%09', '%0A', '%c3%a9'],
];

describe('a path with several readings', () => {
  it('never reaches what another route guards, whatever a server makes of it', () => {
    const rawPath = fc
      .array(fc.constantFrom(...PIECES), { maxLength: 9 })
      .map((pieces) => `/${pieces.join('')}`);
    let accepted = 0;
    fc.assert(
      fc.property(rawPath, (raw) => {
        const [answer, path] = guarded(raw).split(' ');
        if (answer !== 'open') return;
        accepted++;
        for (const outcome of outcomesOf(path!, 5)) {
          assert.doesNotMatch(outcome, /^\/admin(?:\/|$)/, `${raw} as ${path}`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(accepted > 300, `${accepted} paths were accepted`);
  });

  it('never reaches another of many routes either', () => {
    const table = {
      deep: { pathPrefix: '/x/admin' },
      exact: { path: '/x/' },
      x: { pathPrefix: '/x' },
      open: {},
    };
    const plain = router(table);
    const withExpression = router({ guard: { pathRegex: '^/admin(?:/|$)' }, ...table });
    const routeOf = (path: string): string => {
      if (/^\/x\/admin(?:\/|$)/.test(path)) return 'deep';
      if (path === '/x/') return 'exact';
      return /^\/x(?:\/|$)/.test(path) ? 'x' : 'open';
    };
    const rawPath = fc
      .tuple(fc.constantFrom('/', '/x/', '/y/x/'), fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }))
      .map(([front, pieces]) => front + pieces.join(''));
    let accepted = 0;
    fc.assert(
      fc.property(rawPath, (raw) => {
        for (const route of [plain, withExpression]) {
          const [taken, path] = route(raw).split(' ');
          if (path?.startsWith('/') !== true || taken === 'guard') continue;
          accepted++;
          for (const outcome of outcomesOf(path, 4)) {
            assert.equal(routeOf(outcome), taken, `${raw} as ${path} and ${outcome}`);
            if (route === withExpression)
              assert.doesNotMatch(outcome, /^\/admin(?:\/|$)/, `${raw} as ${path}`);
          }
        }
      }),
      { numRuns: 2000 },
    );
    assert.ok(accepted > 1000, `${accepted} paths were accepted`);
  });

  it('is refused in every spelling of a guarded prefix', () => {
    const spellings = [
      '//admin/x',
      '/%2fadmin/x',
      '/%2Fadmin/x',
      '/x/..%2fadmin',
      '/x%2f..%2fadmin/x',
      '/x/..%5cadmin',
      '/x/%2e%2e%2fadmin',
      '/x/..;/admin',
      '/x/..;a=b/admin',
      '/;/admin',
      '/.;/admin',
      '/;a/;b/admin',
      '/admin%2fx',
      '/admin%5Cx',
      '/admin;x',
      '/admin;',
      '/admin;/x',
      '/admin%3bx',
      '/admin%3Bx/y',
      '/admin%3fx',
      '/admin%23',
      '/x/..%252fadmin',
      '/x/%252e%252e/admin',
      '/%252fadmin',
      '/%2561dmin/x',
      '/%25%36%31dmin',
      '/x%c0%afadmin/../%c0%afadmin',
      '/%c0%afadmin',
      '/x/%c0%ae%c0%ae/admin',
      '/%e0%80%afadmin/x',
      '/x/..%F0%80%80%AFadmin',
      '/%c1%a1dmin',
      '/%e0%81%a1dmin',
      '/x/..%25e0%2580%25afadmin',
      '/a//../admin',
      '/a/b//..//..//admin',
      '/.//admin',
      '/./%2fadmin',
      '/x/%2f/../../%2fadmin',
      '///%61dmin',
      '//x/admin',
      '//x%2fy//z/admin/w',
      '/%2fx/admin',
      '/admin%20',
      '/%20admin/x',
      '/x/..%20/admin',
      '/admin%09/x',
      '/ad%0Amin',
      '/admin%20;x',
      '/admin%20%09%20',
    ];
    for (const raw of spellings) assert.equal(guarded(raw), 'ambiguous', raw);
  });

  it('takes the guarding route if only letters are spelled in another way', () => {
    for (const raw of ['/admin', '/%61dmin/x', '/./admin', '/x/../admin', '/x/%2e%2e/admin']) {
      assert.match(guarded(raw), /^guard \/admin/, raw);
    }
  });

  it('must not leave the routes either', () => {
    const published = router({ app: { pathPrefix: '/app' } });
    assert.equal(published('/app/..%2finternal'), 'ambiguous');
    assert.equal(published('/app/a%2Fb'), 'app /app/a%2Fb');
    assert.equal(published('//app'), 'no route');
  });

  it('passes unchanged if every reading takes the same route', () => {
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

  it('is looked up with the other conditions of the routes', () => {
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
    const host = router({ guard: { pathPrefix: '/admin', host: 'other.example' }, open: {} });
    assert.equal(host('//admin'), 'open //admin');
  });

  it('is looked up in exact paths and expressions', () => {
    const exact = router({ guard: { path: '/admin' }, open: {} });
    assert.equal(exact('/admin;x'), 'ambiguous');
    assert.equal(exact('/admin;/x/y'), 'ambiguous');
    assert.equal(exact('/admin/x;y'), 'open /admin/x;y');
    const expression = router({ guard: { pathRegex: '^/(?:admin|root)(?:/|$)' }, open: {} });
    assert.equal(expression('/x%2F..%2Froot/y'), 'ambiguous');
  });

  it('counts characters that stand for themselves, in requests and in patterns', () => {
    const plain = router({ guard: { pathPrefix: '/$metadata' }, open: {} });
    assert.equal(plain('/%24metadata'), 'ambiguous');
    const escaped = router({ guard: { pathPrefix: '/%40admin' }, open: {} });
    assert.equal(escaped('/@admin/x'), 'guard /@admin/x');
    assert.equal(escaped('/%40admin/x'), 'guard /%40admin/x');
  });

  it('is looked up with the query that a decoded question mark brings', () => {
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

  it('is never refused if nothing else can take one of its readings', () => {
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
      const elsewhere = { host: 'other.example', pathRegex: '^/r' };
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

  it('is refused for another reason if it has too many readings to look at', () => {
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

  it('has few readings that are looked at if they are long or expressions are many', () => {
    const looksAt = (path: string, expressions: number): number => {
      let looks = 0;
      const holds = (): boolean => ++looks > 0;
      everyReading(path, path, { usesQuery: false, expressions, holds });
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

describe('the settings of paths', () => {
  const routes = { guard: { pathPrefix: '/admin' }, open: { pathPrefix: '/' } };

  it('pass ambiguous paths as they came, if asked to', () => {
    const route = router(routes, { ambiguous: 'pass' });
    assert.equal(route('/x/..%2fadmin//y;z'), 'open /x/..%2Fadmin//y;z');
  });

  it('merge slashes before dot segments are removed', () => {
    const route = router(routes, { mergeSlashes: true });
    assert.equal(route('//admin///x/'), 'guard /admin/x/');
    assert.equal(route('/a//../admin'), 'guard /admin');
    assert.equal(route('/b//c'), 'open /b/c');
  });

  it('decode or refuse escaped slashes', () => {
    const decode = router(routes, { escapedSlashes: 'decode' });
    assert.equal(decode('/x%2f..%2Fadmin%5cy'), 'guard /admin/y');
    assert.equal(decode('/x/%252Fy'), 'open /x/%252Fy');
    const refuse = router(routes, { escapedSlashes: 'refuse' });
    for (const raw of ['/x%2fy', '/x%5Cy']) assert.equal(refuse(raw), 'the path has an escaped slash');
    assert.equal(refuse('/x//y;z'), 'open /x//y;z');
  });

  it('strip or refuse path parameters', () => {
    const strip = router(routes, { pathParameters: 'strip' });
    assert.equal(strip('/admin;v=1/x;y'), 'guard /admin/x');
    assert.equal(strip('/x/..;/admin'), 'guard /admin');
    assert.equal(strip('/;x'), 'open /');
    const refuse = router(routes, { pathParameters: 'refuse' });
    assert.equal(refuse('/x;y'), 'the path has a parameter');
    assert.equal(refuse('/x%2Fy'), 'open /x%2Fy');
  });

  it('change nothing that has one reading', () => {
    const all = { mergeSlashes: true, escapedSlashes: 'refuse', pathParameters: 'refuse' } as const;
    assert.equal(router(routes, all)('/a/./b%20c'), 'open /a/b%20c');
  });
});
