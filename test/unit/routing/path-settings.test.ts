import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { router } from './path-router.ts';

describe('the path settings', () => {
  const routes = { guard: { pathPrefix: '/admin' }, open: { pathPrefix: '/' } };

  it('forward ambiguous paths unchanged if set so', () => {
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

  it('do not change a path with one reading', () => {
    const all = { mergeSlashes: true, escapedSlashes: 'refuse', pathParameters: 'refuse' } as const;
    assert.equal(router(routes, all)('/a/./b%20c'), 'open /a/b%20c');
  });
});
