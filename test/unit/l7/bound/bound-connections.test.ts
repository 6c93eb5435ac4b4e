import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamSocket } from '../../../../src/l7/contract/upstream-socket.ts';
import { Rig, type FakeSocket } from './bound-rig.ts';

describe('bound connections', () => {
  it('are only for their client and cluster, and count at their endpoint until they close', () => {
    const rig = new Rig();
    const [alice, bob] = [rig.client(), rig.client()];
    const cluster = rig.cluster();
    const socket = rig.keep(alice, cluster);
    assert.equal(rig.bound.clientOf(rig.requester(bob)), null);
    assert.equal(rig.bound.clientOf(rig.requester(alice, '192.0.2.2')), null);
    assert.equal(rig.take(bob, cluster), null);
    assert.equal(rig.take(alice, rig.cluster()), null);
    assert.equal(rig.bound.clientOf(rig.requester(alice)), alice);
    assert.equal(rig.take(alice, cluster)?.socket, socket as unknown as UpstreamSocket);
    assert.deepEqual([socket.owner, socket.destroyed, rig.endpoint.held, rig.active], [null, false, 1, 0]);
    assert.equal(rig.take(alice, cluster), null);
    assert.equal(rig.bound.clientOf(rig.requester(alice)), null);
  });

  for (const [when, reason, end] of [
    ['they have waited long enough', 'idle_timeout', (rig: Rig) => rig.pass(1100)],
    ['the endpoint sends FIN', 'endpoint', (_rig: Rig, socket: FakeSocket) => socket.owner!.channelEnded()],
    [
      'the endpoint says something',
      'endpoint',
      (_rig: Rig, socket: FakeSocket) => socket.owner!.channelData(Buffer.of(1), 0, 1),
    ],
    ['the endpoint closes', 'endpoint', (_rig: Rig, socket: FakeSocket) => socket.owner!.channelClosed(null)],
    ['the worker ends', 'drained', (rig: Rig) => rig.bound.close()],
    [
      'their endpoint is removed',
      'drained',
      (rig: Rig) => {
        rig.endpoint.removed = true;
        rig.bound.closeOutdated();
      },
    ],
    [
      'their endpoint is proved in another way',
      'drained',
      (rig: Rig) => {
        rig.endpoint.tlsGeneration++;
        rig.bound.closeOutdated();
      },
    ],
    [
      'their client left',
      'client_gone',
      (rig: Rig) => {
        rig.open.clear();
        rig.bound.clientClosed();
        rig.pass(200);
      },
    ],
  ] as const) {
    it(`close when ${when}`, () => {
      const rig = new Rig();
      const client = rig.client();
      const cluster = rig.cluster();
      const socket = rig.keep(client, cluster);
      end(rig, socket);
      assert.deepEqual([socket.destroyed, rig.endpoint.held, rig.active], [true, 0, 0]);
      assert.deepEqual(rig.closed(), { [reason]: 1 });
      assert.equal(rig.take(client, cluster), null);
    });
  }

  it('are not used after their endpoint stops taking connections', () => {
    const rig = new Rig();
    const client = rig.client();
    const cluster = rig.cluster();
    const socket = rig.keep(client, cluster);
    rig.endpoint.eligible = false;
    assert.equal(rig.take(client, cluster), null);
    assert.deepEqual([socket.destroyed, rig.closed()], [true, { drained: 1 }]);
  });

  it('are not kept if their endpoint has stopped taking connections by the end of the request', () => {
    for (const state of [{ removed: true }, { eligible: false }]) {
      const rig = new Rig();
      const [client, cluster] = [rig.client(), rig.cluster()];
      rig.keep(client, cluster);
      assert.ok(rig.take(client, cluster));
      // Drained during the request.
      Object.assign(rig.endpoint, state, { held: 0 });
      const socket = rig.keep(client, cluster);
      assert.deepEqual([socket.destroyed, rig.endpoint.held, rig.active], [true, 0, 0]);
      assert.deepEqual(rig.closed(), { drained: 1 });
    }
  });

  it("with a route's login are only for requests with the same credentials", () => {
    const rig = new Rig();
    const [client, cluster] = [rig.client(), rig.cluster()];
    const routes = rig.keep(client, cluster, { use: 'authorization: Negotiate YII=' });
    assert.equal(rig.take(client, cluster), null);
    const own = rig.keep(client, cluster);
    assert.deepEqual([routes.destroyed, rig.active], [false, 2]);
    assert.equal(rig.take(client, cluster, 'authorization: Negotiate other'), null);
    const taken = rig.take(client, cluster, 'authorization: Negotiate YII=');
    assert.equal(taken?.socket, routes as unknown as UpstreamSocket);
    assert.equal(rig.take(client, cluster)?.socket, own as unknown as UpstreamSocket);
  });

  it('of other clients stay when one client disconnects', () => {
    const rig = new Rig();
    const [alice, bob] = [rig.client(), rig.client()];
    const sockets = [rig.keep(alice, rig.cluster()), rig.keep(bob, rig.cluster())];
    rig.open.delete(alice);
    rig.bound.clientClosed();
    rig.pass(200);
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, false],
    );
  });

  it('close if the client has disconnected before they are kept', () => {
    const rig = new Rig();
    const client = rig.client();
    rig.open.clear();
    const socket = rig.keep(client, rig.cluster());
    assert.deepEqual([socket.destroyed, rig.closed()], [true, { client_gone: 1 }]);
  });

  for (const isSupported of [false, true]) {
    const how = isSupported ? 'with' : 'without';
    it(`need an identity, whose lack is counted and logged once: ${how} system calls`, () => {
      const rig = new Rig(isSupported);
      let told = 0;
      for (let count = 0; count < 3; count++) {
        rig.bound.identify(rig.requester(null), (client) => {
          assert.equal(client, null);
          told++;
        });
      }
      assert.equal(rig.bound.identifyNow(rig.requester(null), true), null);
      assert.deepEqual([told, rig.closed()], [3, { unidentified: 3, unauthenticated: 1 }]);
      assert.equal(rig.warnings.length, 1);
    });
  }
});
