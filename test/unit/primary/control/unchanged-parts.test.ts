import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPEN } from '../../../../src/config/schema/access/access.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import type { Route } from '../../../../src/config/types/route.ts';
import { keepUnchanged } from '../../../../src/primary/control/unchanged-parts.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { config, l4Listener, l7Listener } from '../fixtures/config.ts';

const routes = ['a', 'b', 'c'].map((name): Route => ({ ...l7Listener.routes[0]!, name }));
const current: Config = {
  ...config,
  clusters: ['x', 'y'].map((name) => clusterConfig({ name })),
  listeners: [{ ...l7Listener, routes }, l4Listener],
};
const never = { isOver: () => false, next: () => Promise.reject(new Error('not asked for')) };

const RESPOND = { kind: 'respond', status: 200, contentType: 'text/plain' } as const;

function routesWith(whole: Config, map: (route: Route) => Route): Config {
  const [first, ...others] = whole.listeners;
  return { ...whole, listeners: [{ ...(first as L7Listener), routes: routesIn(whole).map(map) }, ...others] };
}

const routesIn = ({ listeners }: Config): readonly Route[] => (listeners[0] as L7Listener).routes;

describe('the parts of a configuration that do not change', () => {
  it('are the current objects, at any place in their lists', async () => {
    const next = structuredClone(current);
    const moved: Config = { ...next, clusters: [...next.clusters].reverse() };
    const kept = await keepUnchanged(moved, current, never);
    assert.deepEqual(kept, moved);
    assert.deepEqual(
      kept.clusters.map((cluster) => current.clusters.indexOf(cluster)),
      [1, 0],
    );
    assert.deepEqual(
      routesIn(kept).map((route) => routes.indexOf(route)),
      [0, 1, 2],
    );
  });

  it('are distinguished from parts that change, are new, or belong to another listener', async () => {
    const next = structuredClone(current);
    const changed: Config = {
      ...next,
      clusters: [clusterConfig({ name: 'x', retries: 7 }), ...next.clusters],
      listeners: [
        {
          ...l7Listener,
          routes: [
            { ...routes[0]!, access: null, limits: [] },
            { ...routes[1]!, name: 'new' },
          ],
        },
        { ...l7Listener, name: 'other', routes: structuredClone(routes) },
      ],
    };
    const kept = await keepUnchanged(changed, current, never);
    assert.deepEqual(kept, changed);
    assert.deepEqual(
      kept.clusters.map((cluster) => current.clusters.indexOf(cluster)),
      [-1, 0, 1],
    );
    assert.deepEqual(
      routesIn(kept).map((route) => routes.indexOf(route)),
      [0, -1],
    );
    assert.notEqual((kept.listeners[1] as L7Listener).routes[0], routes[0]);
  });

  it('include the access settings of listeners, which changed routes share', async () => {
    const access = { ...OPEN, allow: ['192.0.2.0/24'], deny: ['192.0.2.1'] };
    const narrow = { ...access, deny: [] };
    const guarded: Config = {
      ...current,
      listeners: [
        { ...l7Listener, access, routes: [...routes, { ...routes[0]!, name: 'narrow', access: narrow }] },
      ],
    };
    const inheriting = routesWith(guarded, (route) => (route.access === null ? { ...route, access } : route));
    const next = structuredClone(inheriting);
    const changed = routesWith(next, (route) => ({ ...route, action: { ...RESPOND, body: route.name } }));
    const kept = await keepUnchanged(changed, inheriting, never);
    assert.deepEqual(kept, changed);
    assert.equal(kept.listeners[0]!.access, access);
    assert.deepEqual(
      routesIn(kept).map((route) => route.access === access),
      [true, true, true, false],
    );
    assert.equal(routesIn(kept)[3]!.access!.allow, access.allow);
  });

  it('include the equal parts of access settings that otherwise change, for listeners and their routes', async () => {
    const access = { ...OPEN, allow: ['192.0.2.0/24'], deny: ['192.0.2.1'] };
    const under = (settings: typeof access): Config => ({
      ...current,
      listeners: [
        {
          ...l7Listener,
          access: settings,
          routes: [
            { ...routes[0]!, access: settings },
            { ...routes[1]!, access: { ...settings, deny: ['192.0.2.2'] } },
          ],
        },
      ],
    });
    const before = under(access);
    const next = under(structuredClone({ ...access, deny: ['192.0.2.3'] }));
    const kept = await keepUnchanged(next, before, never);
    assert.deepEqual(kept, next);
    const [listener] = kept.listeners;
    assert.equal(listener!.access!.allow, access.allow);
    assert.equal(routesIn(kept)[0]!.access, listener!.access);
    assert.equal(routesIn(kept)[1], routesIn(before)[1]);
  });

  it('include lists of trusted proxies', async () => {
    const trustedProxies = ['192.0.2.0/24'];
    const under = (proxies: readonly string[]): Config => ({
      ...current,
      listeners: [
        { ...l7Listener, trustedProxies: proxies },
        { ...l4Listener, trustedProxies: proxies },
      ],
    });
    const kept = await keepUnchanged(under([...trustedProxies]), under(trustedProxies), never);
    for (const listener of kept.listeners) assert.equal(listener.trustedProxies, trustedProxies);
    const other = await keepUnchanged(under(['192.0.2.1']), under(trustedProxies), never);
    for (const listener of other.listeners) assert.deepEqual(listener.trustedProxies, ['192.0.2.1']);
  });

  it('exclude routes that inherit changed access settings', async () => {
    const access = { ...OPEN, allow: ['192.0.2.0/24'] };
    const other = { ...OPEN, allow: ['198.51.100.0/24'] };
    const under = (settings: typeof access): Config => ({
      ...current,
      listeners: [
        { ...l7Listener, access: settings, routes: routes.map((route) => ({ ...route, access: settings })) },
      ],
    });
    const kept = await keepUnchanged(under(other), under(access), never);
    assert.deepEqual(kept, under(other));
  });

  it('are compared in slices', async () => {
    let count = 0;
    const next = (): Promise<void> => {
      count++;
      return Promise.resolve();
    };
    const slices = { isOver: () => true, next };
    await keepUnchanged(structuredClone(current), current, slices);
    assert.equal(count, 5);
  });
});
