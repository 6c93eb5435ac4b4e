import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { router } from './path-router.ts';

const guarded = router({ guard: { pathPrefix: '/admin' }, open: { pathPrefix: '/' } });

/** Models of servers that read paths, written independently of the tested code. */
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

/** Returns every path that a server can read with up to a number of the models, in any order. */
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

describe('a path that servers read in several ways', () => {
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
});
