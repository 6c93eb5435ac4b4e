import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener } from '../../../src/config/types/listener.ts';
import type { ClusterAction, Route } from '../../../src/config/types/route.ts';
import { compactRoute } from '../../../src/protocol/compact-route.ts';
import { configChange, workerConfig } from '../../../src/protocol/config-change.ts';
import { config, l4Listener, l7Listener } from '../primary/fixtures/config.ts';

/** A route without conditions on headers and queries, changes of headers, limits and rewrites. */
function plain(name: string): Route {
  const changes = () => ({ set: new Map(), add: new Map(), remove: [] });
  const match = { ...l7Listener.routes[0]!.match, headers: new Map(), query: new Map() };
  const rewrite = { host: null, stripPrefix: null, path: null };
  const action: ClusterAction = { kind: 'cluster', cluster: 'app', upgrade: 'also', rewrite };
  return {
    name,
    match,
    action,
    headers: { request: changes(), response: changes() },
    access: null,
    limits: [],
    errorPages: new Map(),
  };
}

const full: Route = {
  ...plain('full'),
  match: { ...plain('full').match, headers: new Map([['x-a', '1']]), query: new Map([['b', '2']]) },
  action: {
    kind: 'cluster',
    cluster: 'app',
    upgrade: 'only',
    rewrite: { host: 'h', stripPrefix: null, path: null },
  },
  headers: {
    request: { set: new Map([['a', 'b']]), add: new Map(), remove: [] },
    response: { set: new Map(), add: new Map(), remove: ['c'] },
  },
};

/** The parts of a route that may be shared with other routes. */
function partsOf({ match, action, headers, limits }: Route): readonly unknown[] {
  return [match.headers, match.query, (action as ClusterAction).rewrite, headers, limits];
}

describe('a route for workers', () => {
  it('equals the original route', () => {
    for (const route of [plain('a'), full, ...l7Listener.routes])
      assert.deepEqual(compactRoute(route), route);
    const respond: Route = {
      ...full,
      action: { kind: 'respond', status: 200, body: 'x', contentType: 'a/b' },
    };
    assert.deepEqual(compactRoute(respond), respond);
  });

  it('shares its empty parts with all others, even in the thread that reads them', () => {
    const all = ['a', 'b'].map((name) => plain(name));
    const listeners = [{ ...l7Listener, routes: all }, l4Listener];
    const start = structuredClone(workerConfig({ ...config, listeners }));
    const [a, b] = (start.listeners[0] as L7Listener).routes;
    for (const [index, part] of partsOf(a!).entries()) assert.equal(part, partsOf(b!)[index]);
    const empty = { ...config, listeners: [{ ...l7Listener, routes: [] }, l4Listener] };
    const [told] = structuredClone(configChange(empty, { ...config, listeners })).listeners;
    const [c, d] = told!.routes.map((each) => (each as { readonly route: Route }).route);
    for (const [index, part] of partsOf(c!).entries()) assert.equal(part, partsOf(d!)[index]);
  });

  it('keeps parts that are not empty', () => {
    for (const [index, part] of partsOf(compactRoute(full)).slice(0, 4).entries()) {
      assert.equal(part, partsOf(full)[index]);
    }
  });
});
