import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPEN } from '../../../../src/config/schema/access/access.ts';
import type { AccessSettings } from '../../../../src/config/types/access.ts';
import type { Route } from '../../../../src/config/types/route.ts';
import { RouteTarget } from '../../../../src/l7/dispatch/route-handler.ts';
import { l7Listener } from '../../primary/fixtures/config.ts';

const BASE = l7Listener.routes[0]!;
const effectOf = (changes: Partial<Route>): string => new RouteTarget({ ...BASE, ...changes }).effect;

describe('the effect of a route', () => {
  const access = (): AccessSettings => ({ ...OPEN, deny: ['192.0.2.1'], allow: ['192.0.2.0/24'] });

  it('is independent of its name, its conditions and object identity', () => {
    const same = effectOf({ access: access() });
    const match = { ...BASE.match, pathPrefix: '/other' };
    assert.equal(effectOf({ name: 'other', match, access: access() }), same);
    const { deny, ...rest } = access();
    assert.equal(effectOf({ access: { ...rest, deny: [...deny] } }), same);
  });

  it('differs with each part of the action', () => {
    const effects = [
      {},
      { access: access() },
      { access: { ...access(), deny: [] } },
      { access: { ...access(), deny: ['192.0.2.0/24'], allow: ['192.0.2.1'] } },
      { access: { ...access(), allow: null } },
      { action: { kind: 'redirect', to: '/', status: 301 } },
      { action: { kind: 'redirect', to: '/', status: 302 } },
    ].map((changes) => effectOf(changes as Partial<Route>));
    assert.equal(new Set(effects).size, effects.length);
  });

  it('digests shared access settings once, before the first request', () => {
    let reads = 0;
    const shared: AccessSettings = {
      ...OPEN,
      get deny() {
        reads++;
        return ['192.0.2.1'];
      },
    };
    const routes = ['a', 'b', 'c'].map((name) => new RouteTarget({ ...BASE, name, access: shared }));
    assert.equal(reads, 1);
    assert.equal(new Set(routes.map(({ effect }) => effect)).size, 1);
    assert.equal(reads, 1);
  });

  it('digests a list once if several access settings share it', () => {
    let reads = 0;
    const list = ['192.0.2.1'];
    Object.defineProperty(list, 0, { enumerable: true, get: () => (reads++, '192.0.2.1') });
    const routes = [null, ['192.0.2.0/24']].map(
      (allow) => new RouteTarget({ ...BASE, access: { ...OPEN, deny: list, allow } }),
    );
    assert.equal(new Set(routes.map(({ effect }) => effect)).size, 2);
    assert.equal(reads, 1);
  });
});
