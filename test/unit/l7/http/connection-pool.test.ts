import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { ConnectionPool } from '../../../../src/l7/http/connection-pool.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { FakeSocket } from '../upstream/fake-socket.ts';

function fill(): { pool: ConnectionPool; endpoint: Endpoint; other: Endpoint; sockets: FakeSocket[] } {
  const pool = new ConnectionPool(new TimerWheel(0));
  const [endpoint, other] = [0, 1].map(() => ({ removed: false, tlsGeneration: 1 })) as unknown as [
    Endpoint,
    Endpoint,
  ];
  const sockets = [endpoint, endpoint, other].map((to) => {
    const socket = new FakeSocket(null);
    pool.keep(to, socket, 1000);
    return socket;
  });
  return { pool, endpoint, other, sockets };
}

describe('a pool of connections', () => {
  it('returns the most recently used connection', () => {
    const { pool, endpoint, sockets } = fill();
    assert.equal(pool.take(endpoint), sockets[1]);
    assert.equal(pool.take(endpoint), sockets[0]);
    assert.deepEqual([pool.take(endpoint), pool.has(endpoint)], [null, false]);
  });

  for (const [what, change] of [
    ['is gone', (endpoint: Endpoint) => (endpoint.removed = true)],
    ['is proved in another way', (endpoint: Endpoint) => (endpoint.tlsGeneration += 1)],
  ] as const) {
    it(`closes the connections to an endpoint that ${what}, and keeps newer ones`, () => {
      const { pool, endpoint, other, sockets } = fill();
      pool.closeOutdated();
      assert.ok(sockets.every(({ destroyed }) => !destroyed));
      change(endpoint);
      pool.closeOutdated();
      assert.deepEqual(
        sockets.map(({ destroyed }) => destroyed),
        [true, true, false],
      );
      assert.deepEqual([pool.has(endpoint), pool.has(other)], [false, true]);
      if (endpoint.removed) return;
      const fresh = new FakeSocket(null);
      pool.keep(endpoint, fresh, 1000);
      pool.closeOutdated();
      assert.equal(pool.take(endpoint), fresh);
    });
  }
});
