import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { Rig } from './bound-rig.ts';

describe('bound connections at their limits', () => {
  it('are at most 8 per client and 1,024 in all, and the least recently used close', () => {
    const rig = new Rig();
    const alice = rig.client();
    const sockets = Array.from({ length: 10 }, () => rig.keep(alice, rig.cluster()));
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, true, ...Array<boolean>(8).fill(false)],
    );
    for (let count = 0; count < 1100; count++) rig.keep(rig.client(`192.0.2.${count}`), rig.cluster());
    assert.deepEqual([rig.active, rig.endpoint.held], [1024, 1024]);
    assert.ok(sockets.every(({ destroyed }) => destroyed));
  });

  it('are closed for connections in use', () => {
    const rig = new Rig();
    const [one, other] = [rig.cluster(), rig.cluster()];
    const sockets = [one, one, other].map((cluster) => rig.keep(rig.client(), cluster));
    assert.equal(one.makeRoom({ label: 'another' } as unknown as Endpoint, ''), false);
    assert.equal(one.makeRoom(rig.endpoint as unknown as Endpoint, ''), true);
    assert.equal(one.makeRoom(null, ''), true);
    assert.equal(one.makeRoom(null, ''), false);
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, true, false],
    );
    assert.deepEqual(rig.closed(), { limit: 2 });
  });

  it('close first while their login has not been accepted', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    const sockets = [true, false, true, false].map((accepted) =>
      rig.keep(rig.client(), cluster, { accepted }),
    );
    const order = sockets.map(() => {
      const before = sockets.map(({ destroyed }) => destroyed);
      assert.equal(cluster.makeRoom(null, ''), true);
      return sockets.findIndex(({ destroyed }, index) => destroyed !== before[index]);
    });
    assert.deepEqual(order, [1, 3, 0, 2]);
  });

  it('close first, in the whole worker, if their login was not accepted yet', () => {
    const rig = new Rig();
    const honest = rig.keep(rig.client(), rig.cluster());
    for (let count = 0; count < 1100; count++) rig.keep(rig.client(), rig.cluster(), { accepted: false });
    assert.deepEqual([honest.destroyed, rig.active], [false, 1024]);
  });

  for (const limit of ['worker', 'cluster', 'endpoint'] as const) {
    it(`of one network close if its flood reaches the limit of the ${limit}`, () => {
      const rig = new Rig();
      const cluster = rig.cluster();
      const victims = [1, 2, 3].map((number) => rig.keep(rig.client(`192.0.2.${number}`), cluster));
      for (let count = 0; count < 1100; count++) {
        // Addresses of one IPv6 network.
        const attacker = `2001:db8:0:1::${count.toString(16)}`;
        if (limit !== 'worker' && rig.active >= 8) {
          const limited = limit === 'cluster' ? null : (rig.endpoint as unknown as Endpoint);
          assert.equal(cluster.makeRoom(limited, attacker), true);
        }
        rig.keep(rig.client(attacker), cluster);
      }
      assert.deepEqual(
        victims.map(({ destroyed }) => destroyed),
        [false, false, false],
      );
      const most = limit === 'worker' ? 1024 : 8;
      assert.deepEqual([rig.active, rig.endpoint.held, rig.closed()], [most, most, { limit: 1103 - most }]);
    });
  }

  it('do not close for more connections in use of the network with the most', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    const endpoint = rig.endpoint as unknown as Endpoint;
    const victims = [1, 2].map((number) => rig.keep(rig.client(`192.0.2.${number}`), cluster));
    for (let count = 0; count < 6; count++) rig.bound.beginUse('192.0.2.9', cluster, endpoint);
    assert.equal(cluster.makeRoom(null, '192.0.2.9'), false);
    assert.equal(cluster.makeRoom(endpoint, '192.0.2.9'), false);
    for (let count = 0; count < 6; count++) rig.bound.endUse('192.0.2.9', cluster, endpoint);
    assert.equal(cluster.makeRoom(endpoint, '192.0.2.9'), true);
    assert.deepEqual(
      victims.map(({ destroyed }) => destroyed),
      [true, false],
    );
  });

  it('are not kept if the worker is full and their network uses more than all others keep', () => {
    const rig = new Rig();
    const cluster = rig.cluster();
    for (let count = 0; count < 1024; count++) rig.keep(rig.client(`192.0.2.${count}`), cluster);
    for (let count = 0; count < 6; count++) {
      rig.bound.beginUse('198.51.100.1', cluster, rig.endpoint as unknown as Endpoint);
    }
    const socket = rig.keep(rig.client('198.51.100.1'), cluster);
    assert.deepEqual([socket.destroyed, rig.active, rig.closed()], [true, 1024, { limit: 1 }]);
  });
});
