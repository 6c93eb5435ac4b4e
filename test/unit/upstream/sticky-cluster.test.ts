import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sticky } from '../../../src/config/types/cluster.ts';
import { Attempts } from '../../../src/upstream/attempts/attempts.ts';
import { addressContext } from '../../../src/upstream/balancers/balancer.ts';
import { Cluster } from '../../../src/upstream/cluster.ts';
import {
  clusterConfig,
  clusterState,
  endpointConfigs,
  endpointState,
  contextOf,
  workers,
} from './endpoints.ts';

const context = addressContext('192.0.2.9');

describe('a sticky cluster', () => {
  const configs = endpointConfigs([1, 1, 1]);
  const sticky: Sticky = { cookie: 'sluice', ttlMs: 0, secret: null, sameSite: 'lax', secure: 'auto' };
  const config = clusterConfig({ endpoints: configs, sticky });
  const make = (secret: string, changes: Partial<Sticky> = {}): Cluster =>
    new Cluster(
      { ...config, sticky: { ...sticky, ...changes } },
      clusterState(config),
      contextOf(workers(1, configs), { secret }),
    );
  const valueOf = (header: string): string => /^sluice=([\w-]+);/.exec(header)![1]!;

  it('returns a client to its endpoint in every worker', () => {
    const [one, two] = [make('secret'), make('secret')];
    for (let count = 0; count < 10; count++) {
      const trying = one.attempts(context);
      const endpoint = trying.next()!;
      const cookie = trying.cookieFor(endpoint, true)!;
      assert.match(cookie, /^sluice=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
      const again = two.attempts({ ...context, sticky: [valueOf(cookie)] });
      const same = again.next()!;
      assert.equal(same.label, endpoint.label);
      assert.equal(again.cookieFor(same, true), null, 'the client already has the cookie');
    }
  });

  it('sets the configured attributes of the cookie', () => {
    const cookie = (changes: Partial<Sticky>, secure: boolean): string => {
      const trying = make('secret', changes).attempts(context);
      return trying.cookieFor(trying.next()!, secure)!;
    };
    assert.match(cookie({ sameSite: 'strict' }, false), /; HttpOnly; SameSite=Strict$/);
    assert.match(cookie({ sameSite: 'none', secure: 'on' }, false), /; HttpOnly; SameSite=None; Secure$/);
    assert.match(cookie({ secure: 'on' }, false), /; SameSite=Lax; Secure$/);
  });

  it('renews a cookie that expires', () => {
    const cluster = make('secret', { ttlMs: 3_600_000 });
    const trying = cluster.attempts(context);
    const cookie = trying.cookieFor(trying.next()!, false)!;
    assert.match(cookie, /; SameSite=Lax; Max-Age=3600$/);
    const again = cluster.attempts({ ...context, sticky: [valueOf(cookie)] });
    assert.equal(again.cookieFor(again.next()!, false), cookie);
  });

  it('moves a client to another endpoint with a new cookie if its endpoint is down or fails', () => {
    const cluster = make('secret');
    const trying = cluster.attempts(context);
    const endpoint = trying.next()!;
    const mine = { ...context, sticky: [valueOf(trying.cookieFor(endpoint, false)!)] };
    const failing = new Attempts(cluster, mine, 1);
    failing.fail(failing.next()!, 'refused', 'connect');
    assert.notEqual(failing.next()!.label, endpoint.label);
    const states = configs.map((entry) => endpointState(entry));
    cluster.update({
      ...clusterState({ name: 'app', endpoints: [] }),
      endpoints: states.map((state) => ({
        ...state,
        health: state.label === endpoint.label ? 'down' : 'up',
      })),
    });
    const elsewhere = cluster.attempts(mine);
    const other = elsewhere.next()!;
    assert.notEqual(other.label, endpoint.label);
    assert.ok(elsewhere.cookieFor(other, false)!.startsWith('sluice='));
  });

  it('finds its cookie among others of the same name', () => {
    for (let count = 0; count < 10; count++) {
      const trying = make('secret').attempts(context);
      const endpoint = trying.next()!;
      const value = valueOf(trying.cookieFor(endpoint, false)!);
      const again = make('secret').attempts({ ...context, sticky: ['zz', value, 'y'] });
      const same = again.next()!;
      assert.equal(same.label, endpoint.label);
      assert.equal(again.cookieFor(same, false), null, 'the client already has the cookie');
    }
  });

  it('ignores cookies that it did not make', () => {
    const trying = make('secret').attempts(context);
    const endpoint = trying.next()!;
    const value = valueOf(trying.cookieFor(endpoint, false)!);
    const other = make('another secret');
    const labels = new Set<string>();
    for (const shown of [value, endpoint.label, '', 'x'.repeat(10_000)]) {
      for (let count = 0; count < 9; count++)
        labels.add(other.attempts({ ...context, sticky: [shown] }).next()!.label);
    }
    assert.equal(labels.size, 3);
  });
});
