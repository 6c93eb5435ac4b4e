import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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

const routesIn = ({ listeners }: Config): readonly Route[] => (listeners[0] as L7Listener).routes;

describe('the parts of a configuration that do not change', () => {
  it('are the objects in use, wherever they stand in their lists', async () => {
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

  it('are told from those that change, come, or belong to another listener', async () => {
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

  it('are found in slices', async () => {
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
