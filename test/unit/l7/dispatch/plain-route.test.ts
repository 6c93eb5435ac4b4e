import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterAction, RouteAction } from '../../../../src/config/types/route.ts';
import { plainHandler } from '../../../../src/l7/dispatch/plain-route.ts';
import { countedAnswers, exchangeOf, routedOf, type FakeReply } from './exchanges.ts';

function answer(
  action: Exclude<RouteAction, ClusterAction>,
  target = '/',
  groups: readonly string[] = [],
): { readonly reply: FakeReply; readonly counted: readonly string[] } {
  const { answers, counted } = countedAnswers();
  const exchange = exchangeOf({ target });
  plainHandler(action, answers)(routedOf(exchange, groups));
  return { reply: exchange.reply, counted };
}

describe('a route that responds', () => {
  it('sends its text, and counts the answer', () => {
    const { reply, counted } = answer({ kind: 'respond', status: 418, body: 'no', contentType: 'text/x' });
    assert.deepEqual([reply.status, reply.body, reply.header('Content-Type')], [418, 'no', 'text/x']);
    assert.deepEqual(counted, ['answered 418']);
  });
});

describe('a route that redirects', () => {
  const moved = (to: string): Exclude<RouteAction, ClusterAction> => ({ kind: 'redirect', to, status: 308 });

  it("fills the path's groups and the query into the new location", () => {
    const { reply, counted } = answer(moved('https://a.example/$1'), '/old/x?q=1', ['x']);
    assert.deepEqual([reply.status, reply.header('Location')], [308, 'https://a.example/x?q=1']);
    assert.deepEqual(counted, ['answered 308']);
  });

  it('refuses a path whose groups contain a dot segment', () => {
    const { reply, counted } = answer(moved('/new/$1'), '/old', ['../up']);
    assert.deepEqual([reply.status, reply.closes], [400, true]);
    assert.deepEqual(counted, ['refused dot_segment', 'answered 400']);
  });
});

describe('a route that redirects by parts of the request', () => {
  const secure = { kind: 'redirect', to: 'https://$host$path$query', status: 308 } as const;

  it('inserts the host that was checked, the normalised path and the query', () => {
    const { reply } = answer(secure, '/a?q=1');
    assert.equal(reply.header('Location'), 'https://example.com/a?q=1');
  });

  it('refuses a group that would extend the host', () => {
    const { reply, counted } = answer({ ...secure, to: 'https://a.test$1' }, '/x', ['.evil.test']);
    assert.deepEqual([reply.status, reply.body], [400, 'the location names another host\n']);
    assert.deepEqual(counted, ['refused bad_target', 'answered 400']);
  });
});

describe('a route to static files', () => {
  it('counts the answer of the files when it has ended', async () => {
    const { answers, counted } = countedAnswers();
    const exchange = exchangeOf({ target: '/none' });
    const sent = new Promise<void>((resolve) => {
      // The files tell right after they have answered.
      exchange.reply.onSent = () => void setImmediate(resolve);
    });
    const root = `${import.meta.dirname}/no-such-folder`;
    const action = { index: 'index.html', fallback: null, precompressed: false, cacheControl: null };
    plainHandler({ kind: 'static', root, ...action }, answers)(routedOf(exchange));
    await sent;
    assert.equal(exchange.reply.status, 404);
    assert.deepEqual(counted, ['answered 404']);
  });
});
