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

describe('what a request says of the endpoint that it should get', () => {
  it('is its address, and nothing else unless the cluster asks for it', () => {
    const context = pickContextOf({ hashOn: { kind: 'source_ip' }, sticky: null }, head, '192.0.2.1');
    assert.deepEqual(context, { source: '192.0.2.1', hashKey: null, sticky: [] });
  });

  it('is the value of a header, of a cookie, or of a parameter of the query', () => {
    assert.equal(keyOn({ kind: 'header', name: 'x-tenant' }), 'acme');
    assert.equal(keyOn({ kind: 'cookie', name: 'user' }), 'bob');
    assert.equal(keyOn({ kind: 'query', name: 'room' }), 'a b');
  });

  it('is no key if the client sends none', () => {
    for (const kind of ['header', 'cookie', 'query'] as const) {
      assert.equal(keyOn({ kind, name: 'missing' }), null, kind);
    }
  });

  it('has the values of the sticky cookie in their order, and at most eight of them', () => {
    const stickyOf = (...cookies: string[]): readonly string[] => {
      const asked = headOf({ headers: cookies.map((cookie) => ['cookie', cookie] as const) });
      return pickContextOf({ hashOn: { kind: 'source_ip' }, sticky: STICKY }, asked, '').sticky;
    };
    assert.deepEqual(stickyOf('user=bob; to=first', 'to=second'), ['first', 'second']);
    assert.deepEqual(stickyOf('user=bob'), []);
    assert.equal(stickyOf(Array.from({ length: 20 }, (_, index) => `to=${index}`).join('; ')).length, 8);
  });
});
