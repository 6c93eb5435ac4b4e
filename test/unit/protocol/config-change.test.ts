import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OPEN } from '../../../src/config/schema/access/access.ts';
import type { L7Listener } from '../../../src/config/types/listener.ts';
import type { Route } from '../../../src/config/types/route.ts';
import { changedConfig, configChange, type WorkerConfig } from '../../../src/protocol/config-change.ts';
import { config, l4Listener, l7Listener } from '../primary/fixtures/config.ts';

const routes = ['a', 'b', 'c', 'd', 'e'].map((name): Route => ({ ...l7Listener.routes[0]!, name }));

function withRoutes(...own: readonly Route[]): WorkerConfig {
  return { ...config, listeners: [{ ...l7Listener, routes: own }, l4Listener] };
}

/** Sends a change as a worker gets it. */
function sent(before: WorkerConfig, after: WorkerConfig): WorkerConfig {
  const copy = structuredClone(before);
  return changedConfig(copy, structuredClone(configChange(before, after)));
}

const routesOf = ({ listeners }: WorkerConfig): readonly Route[] => (listeners[0] as L7Listener).routes;

describe('a configuration sent as a difference', () => {
  it("has the unchanged routes as the worker's objects", () => {
    const before = withRoutes(routes[0]!, routes[1]!);
    const copy = structuredClone(before);
    const after = withRoutes(routes[1]!, routes[2]!, routes[0]!);
    const change = configChange(before, after);
    const told = { route: routes[2], access: { isPart: false, own: null } };
    assert.deepEqual(change.listeners[0]!.routes, [1, told, 0]);
    const made = changedConfig(copy, structuredClone(change));
    assert.deepEqual(made, after);
    assert.equal(routesOf(made)[0], routesOf(copy)[1]);
    assert.equal(routesOf(made)[2], routesOf(copy)[0]);
  });

  it('sends a new listener in full, and omits a removed one', () => {
    const before = withRoutes(routes[0]!);
    const renamed = { ...l7Listener, name: 'new', routes };
    assert.deepEqual(sent(before, { ...config, listeners: [renamed] }), { ...config, listeners: [renamed] });
  });

  it('sends access settings only when they change, and new routes share those of their listener', () => {
    const access = { ...OPEN, allow: ['192.0.2.0/24'] };
    const guarded = routes.map((route): Route => ({ ...route, access }));
    const listenerWith = (own: readonly Route[], settings = access): WorkerConfig => {
      return { ...config, listeners: [{ ...l7Listener, access: settings, routes: own }, l4Listener] };
    };
    const before = listenerWith(guarded.slice(0, 2));
    const copy = structuredClone(before);
    const after = listenerWith([...guarded.slice(0, 2), { ...guarded[2]!, limits: [] }]);
    const change = structuredClone(configChange(before, after));
    assert.equal(JSON.stringify(change).includes('192.0.2.0/24'), false);
    const made = changedConfig(copy, change);
    assert.deepEqual(made, after);
    assert.equal(made.listeners[0]!.access, copy.listeners[0]!.access);
    assert.equal(routesOf(made)[2]!.access, copy.listeners[0]!.access);
    const other = { ...access, allow: ['198.51.100.0/24'] };
    const moved = listenerWith([{ ...guarded[0]!, access: other }, guarded[1]!], other);
    assert.deepEqual(sent(before, moved), moved);
  });

  it('sends only the changed part of access settings, for a listener and for a route', () => {
    const lists = { deny: ['192.0.2.1'], allow: ['192.0.2.0/24'] };
    const access = { ...OPEN, ...lists };
    const under = (settings: typeof access, own: typeof access): WorkerConfig => ({
      ...config,
      listeners: [{ ...l7Listener, access: settings, routes: [{ ...routes[0]!, access: own }] }],
    });
    const before = under(access, { ...access, deny: ['192.0.2.7'] });
    const copy = structuredClone(before);
    const open = { ...access, deny: ['192.0.2.8'] };
    const after = under(open, { ...open, deny: ['192.0.2.9'] });
    const change = structuredClone(configChange(before, after));
    assert.deepEqual(change.listeners[0]!.access, { isPart: true, own: { deny: ['192.0.2.8'] } });
    assert.equal(JSON.stringify(change).includes('192.0.2.0/24'), false);
    const made = changedConfig(copy, change);
    assert.deepEqual(made, after);
    const { allow } = copy.listeners[0]!.access!;
    assert.equal(made.listeners[0]!.access!.allow, allow);
    assert.equal(routesOf(made)[0]!.access!.allow, allow);
  });

  it('sends trusted proxies only when they change', () => {
    const under = (trustedProxies: readonly string[]): WorkerConfig => ({
      ...config,
      listeners: [{ ...l7Listener, trustedProxies }, l4Listener],
    });
    const before = under(['192.0.2.0/24']);
    const copy = structuredClone(before);
    const same = structuredClone(configChange(before, under(before.listeners[0]!.trustedProxies)));
    assert.equal(JSON.stringify(same).includes('192.0.2.0/24'), false);
    const made = changedConfig(copy, same);
    assert.deepEqual(made, before);
    assert.equal(made.listeners[0]!.trustedProxies, copy.listeners[0]!.trustedProxies);
    const other = under(['198.51.100.0/24']);
    assert.deepEqual(sent(before, other), other);
  });

  it('restores the same configuration after any change', () => {
    const some = fc.uniqueArray(fc.constantFrom(...routes));
    fc.assert(
      fc.property(some, some, (before, after) => {
        assert.deepEqual(sent(withRoutes(...before), withRoutes(...after)), withRoutes(...after));
      }),
    );
  });
});
