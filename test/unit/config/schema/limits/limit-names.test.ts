import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { errorsOf, l7, l7Of, load } from '../../load.ts';

/** Returns the names of a listener's limits, and then those of its routes. */
function names(text: string): string[] {
  const { limits, routes } = l7Of(load(text));
  return [...limits, ...routes.flatMap((route) => route.limits)].map(({ name }) => name);
}

describe('names of limits', () => {
  it('are by default those of their keys, with a number if they are taken', () => {
    const text = l7(
      'limits: [{ key: address, connections: 1 }, { key: address, requests: 1/s }, { key: { cookie: S }, requests: 1/s }]',
      'routes: [{ match: {}, cluster: app, limits: [{ key: address, requests: 1/s }, { key: host, requests: 1/s }] }]',
    );
    assert.deepEqual(names(text), ['address', 'address-2', 'cookie-S', 'address-3', 'host']);
  });

  it('do not collide with names anywhere in the listener', () => {
    const text = l7(
      'limits: [{ key: address, connections: 1 }, { key: address, connections: 1 }]',
      'routes: [{ match: {}, cluster: app, limits: [{ name: address, key: address, requests: 1/s }] }]',
    );
    assert.deepEqual(names(text), ['address-2', 'address-3', 'address']);
  });

  it('are unique in a listener and its routes', () => {
    const text = l7(
      'limits: [{ name: a, key: address, connections: 1 }]',
      'routes: [{ match: {}, cluster: app, limits: [{ name: a, key: address, requests: 1/s }] }]',
    );
    assert.deepEqual(errorsOf(text), [
      '6:58: name: two limits of this listener and its routes have the name "a": rename one',
    ]);
    assert.match(
      errorsOf(l7('limits: [{ name: "a b", key: address, connections: 1 }]'))[0] ?? '',
      /is not a name/,
    );
  });

  it('are labels, whatever a claim is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 200 }), (claim) => {
        const key = JSON.stringify({ claim });
        const text = l7(`limits: [{ key: ${key}, connections: 1 }, { key: ${key}, connections: 2 }]`);
        if (errorsOf(text).length > 0) return;
        const [first, second] = names(text);
        assert.notEqual(first, second);
        for (const name of [first, second]) assert.match(name ?? '', /^claim-[A-Za-z0-9_.-]{1,57}$/);
      }),
      { numRuns: 100 },
    );
  });
});
