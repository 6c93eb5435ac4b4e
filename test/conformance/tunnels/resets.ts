/** What becomes of bytes with a reset right behind them, as a suite for every engine, between ends on system calls. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { eventually } from '../../support/deadline.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import { SystemEndpoint, SystemPeer } from '../../support/sockets/system-peer.ts';
import { TunnelRig } from './rig.ts';
import type { TunnelEngine } from './rig.ts';

/** Tunnels at once: whether the bytes and the reset are read together is up to chance. */
const TUNNELS = 20;

export function describeResets(engine: TunnelEngine): void {
  const skip = unsupportedReason() ?? false;

  describe(`a reset behind bytes in a tunnel of the ${engine.name} engine`, { skip }, () => {
    let rig: TunnelRig;
    let endpoint: SystemEndpoint;
    /** Its queue of connections is short. */
    let busy: SystemEndpoint;

    before(async () => {
      endpoint = await SystemEndpoint.listen();
      busy = await SystemEndpoint.listen(1);
      rig = await TunnelRig.start(engine, 1, {
        plain: { endpoints: [endpoint.address] },
        busy: { endpoints: [busy.address] },
      });
    });
    after(async () => {
      endpoint.close();
      busy.close();
      await rig.settled();
      await rig.stop();
    });

    /** A tunnel that has carried a byte each way. */
    async function join(): Promise<Readonly<Record<'client' | 'peer', SystemPeer>>> {
      const client = await SystemPeer.connect(rig.sluice.address('plain'));
      const peer = await endpoint.accept();
      client.send(1);
      await peer.receive(1);
      peer.send(1);
      await client.receive(1);
      return { client, peer };
    }

    it('arrives after all bytes of the client, even if the endpoint accepts later', async () => {
      const address = rig.sluice.address('busy');
      const queued = [await SystemPeer.connect(busy.address), await SystemPeer.connect(busy.address)];
      for (const bytes of [0, 1000]) {
        const client = await SystemPeer.connect(address);
        if (bytes > 0) client.send(bytes);
        client.reset();
      }
      for (const peer of queued) {
        (await busy.accept()).close();
        peer.close();
      }
      const ends = [];
      for (let count = 0; count < 2; count++) {
        const peer = await busy.accept();
        ends.push(await peer.receiveAll());
        peer.close();
      }
      assert.deepEqual(
        ends.sort((a, b) => a.bytes - b.bytes),
        [0, 1000].map((bytes) => ({ bytes, end: 'ECONNRESET' })),
      );
      const labels = { listener: 'busy', reason: 'reset' };
      assert.equal((await rig.settled()).sum('sluice_tunnels_closed_total', labels), 2);
      await eventually(() => {
        const lines = rig.sluice.logs.filter(
          ({ msg, listener }) => msg === 'tunnel closed' && listener === 'busy',
        );
        const ends = lines.map(({ reason, bytesUpstream }) => [reason, Number(bytesUpstream)] as const);
        assert.deepEqual(
          ends.sort((a, b) => a[1] - b[1]),
          [
            ['reset', 0],
            ['reset', 1000],
          ],
        );
      });
    });

    /** Makes tunnels, and tests all of them at once. */
    async function forAll(
      from: 'client' | 'peer',
      test: (sender: SystemPeer, receiver: SystemPeer) => Promise<void>,
    ): Promise<void> {
      const tunnels = [];
      for (let count = 0; count < TUNNELS; count++) tunnels.push(await join());
      try {
        await Promise.all(
          tunnels.map(({ client, peer }) => (from === 'client' ? test(client, peer) : test(peer, client))),
        );
      } finally {
        for (const { client, peer } of tunnels) {
          client.close();
          peer.close();
        }
      }
    }

    for (const from of ['client', 'peer'] as const) {
      for (const bytes of [1, 30_000]) {
        it(`arrives after all bytes of the ${from} (${bytes})`, async () => {
          await forAll(from, async (sender, receiver) => {
            sender.send(bytes);
            sender.reset();
            assert.deepEqual(await receiver.receiveAll(), { bytes, end: 'ECONNRESET' });
          });
        });
      }

      it(`from the ${from} waits until its slow receiver has read all bytes`, async () => {
        // More than the receiver's kernel takes, and less than the proxy's sends.
        const chunks = 30;
        const joined = await join();
        const receiver = joined[from === 'client' ? 'peer' : 'client'];
        for (let chunk = 0; chunk < chunks; chunk++) {
          joined[from].send(10_000);
          await joined[from].delivered();
        }
        const open = descriptors(rig.sluice.pid);
        joined[from].reset();
        await eventually(() => assert.ok(descriptors(rig.sluice.pid) < open));
        assert.deepEqual(await receiver.receiveAll(), { bytes: chunks * 10_000, end: 'ECONNRESET' });
        receiver.close();
      });

      it(`from the ${from} arrives after the bytes if the other direction has ended`, async () => {
        await forAll(from, async (sender, receiver) => {
          receiver.end();
          assert.deepEqual(await sender.receiveAll(), { bytes: 0, end: 'FIN' });
          sender.send(1000);
          sender.reset();
          assert.deepEqual(await receiver.receiveAll(), { bytes: 1000, end: 'ECONNRESET' });
        });
      });
    }
  });
}
