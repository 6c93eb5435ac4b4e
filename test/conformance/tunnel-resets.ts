/** What becomes of bytes with a reset right behind them, as a suite for every engine, between ends on system calls. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unsupportedReason } from '../../src/sys/support.ts';
import { SystemEndpoint, SystemPeer } from '../support/system-peer.ts';
import { TunnelRig } from './tunnel-rig.ts';
import type { TunnelEngine } from './tunnel-rig.ts';

/** Tunnels in a row: whether the bytes and the reset are read together is up to chance. */
const ROUNDS = 20;

export function describeResets(engine: TunnelEngine): void {
  const skip = unsupportedReason() ?? false;

  describe(`a reset behind bytes in a tunnel of the ${engine.name} engine`, { skip }, () => {
    let rig: TunnelRig;
    let endpoint: SystemEndpoint;

    before(async () => {
      endpoint = await SystemEndpoint.listen();
      rig = await TunnelRig.start(engine, 1, { plain: { endpoints: [endpoint.address] } });
    });
    after(async () => {
      endpoint.close();
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

    for (const from of ['client', 'peer'] as const) {
      for (const bytes of [1, 30_000]) {
        it(`of the ${from} comes behind all of them (${bytes})`, async () => {
          for (let round = 0; round < ROUNDS; round++) {
            const joined = await join();
            const receiver = joined[from === 'client' ? 'peer' : 'client'];
            joined[from].send(bytes);
            joined[from].reset();
            assert.deepEqual(await receiver.receiveAll(), { bytes, end: 'ECONNRESET' });
            receiver.close();
          }
        });
      }

      it(`of the ${from} comes behind them, where the other's direction has ended`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const joined = await join();
          const receiver = joined[from === 'client' ? 'peer' : 'client'];
          receiver.end();
          assert.deepEqual(await joined[from].receiveAll(), { bytes: 0, end: 'FIN' });
          joined[from].send(1000);
          joined[from].reset();
          assert.deepEqual(await receiver.receiveAll(), { bytes: 1000, end: 'ECONNRESET' });
          receiver.close();
        }
      });
    }
  });
}
