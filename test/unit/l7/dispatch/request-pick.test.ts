import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HashOn, Sticky } from '../../../../src/config/types/cluster.ts';
import { pickContextOf } from '../../../../src/l7/dispatch/request-pick.ts';
import { headOf } from './exchanges.ts';

const STICKY: Sticky = { cookie: 'to', ttlMs: 0, secret: null, sameSite: 'lax', secure: 'auto' };
const head = headOf({
  target: '/chat?room=a%20b&room=c',
  headers: [
    ['x-tenant', 'acme'],
    ['cookie', 'user=bob; to=first'],
    ['cookie', 'to=second'],
  ],
});
const keyOn = (hashOn: HashOn): string | null =>
  pickContextOf({ hashOn, sticky: null }, head, '192.0.2.1').hashKey;

describe("the facts that select a request's endpoint", () => {
  it('consist only of its address, unless the cluster needs more', () => {
    const context = pickContextOf({ hashOn: { kind: 'source_ip' }, sticky: null }, head, '192.0.2.1');
    assert.deepEqual(context, { source: '192.0.2.1', hashKey: null, sticky: [] });
  });

  it('include the value of a header, a cookie or a query parameter', () => {
    assert.equal(keyOn({ kind: 'header', name: 'x-tenant' }), 'acme');
    assert.equal(keyOn({ kind: 'cookie', name: 'user' }), 'bob');
    assert.equal(keyOn({ kind: 'query', name: 'room' }), 'a b');
  });

  it('include no key if the client sends none', () => {
    for (const kind of ['header', 'cookie', 'query'] as const) {
      assert.equal(keyOn({ kind, name: 'missing' }), null, kind);
    }
  });

  it('include at most eight values of the sticky cookie, in order', () => {
    const stickyOf = (...cookies: string[]): readonly string[] => {
      const asked = headOf({ headers: cookies.map((cookie) => ['cookie', cookie] as const) });
      return pickContextOf({ hashOn: { kind: 'source_ip' }, sticky: STICKY }, asked, '').sticky;
    };
    assert.deepEqual(stickyOf('user=bob; to=first', 'to=second'), ['first', 'second']);
    assert.deepEqual(stickyOf('user=bob'), []);
    assert.equal(stickyOf(Array.from({ length: 20 }, (_, index) => `to=${index}`).join('; ')).length, 8);
  });
});
