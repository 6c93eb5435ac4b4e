import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { L4Listener } from '../../../src/config/types/listener.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { l4Listener } from '../../unit/primary/fixtures/config.ts';
import { freshAddress } from '../../unit/sys/pairs.ts';
import { TappedWorker } from './tapped-worker.ts';

const ENGINES = unsupportedReason() === null ? (['raw', 'net'] as const) : (['net'] as const);
/** Large enough to go through the pipe of the raw engine. */
const UP_BYTES = 2 ** 20;
const DOWN_BYTES = 300_000;

describe('the tap of a tunnel', () => {
  let endpoint: RawEndpoint;
  let worker: TappedWorker;

  before(async () => {
    endpoint = await RawEndpoint.listen();
    const listeners = ENGINES.map(async (engine): Promise<L4Listener> => {
      const { address } = await freshAddress('IPv4');
      return { ...l4Listener, name: engine, engine, address: address as L4Listener['address'] };
    });
    worker = await TappedWorker.start('l4', await Promise.all(listeners), endpoint.address);
  });
  after(async () => {
    await worker.stop();
    endpoint.close();
  });

  for (const engine of ENGINES) {
    it(`hears every read of both sides, and the end: ${engine}`, async () => {
      const client = await RawConnection.connect(worker.address(engine));
      client.write(Buffer.alloc(UP_BYTES));
      const server = await endpoint.connections.next();
      await server.bytes(UP_BYTES);
      server.write(Buffer.alloc(DOWN_BYTES));
      await client.bytes(DOWN_BYTES);
      client.socket.end();
      server.socket.end();
      const { facts, calls } = await worker.notes.next();
      const { openedAt, ...place } = facts;
      assert.deepEqual(place, {
        listener: engine,
        cluster: 'app',
        endpoint: endpoint.address,
        client: '127.0.0.1',
        serverName: null,
      });
      assert.ok(Math.abs(Date.now() - openedAt) < 300_000);
      const [first, ...others] = calls;
      assert.equal(first, 'opened');
      assert.equal(others.pop(), `ended: closed, ${UP_BYTES} up, ${DOWN_BYTES} down`);
      const sums = { client: 0, endpoint: 0 };
      for (const call of others) {
        const [bytes, side] = call.split(' of ');
        sums[side as keyof typeof sums] += Number(bytes);
      }
      assert.deepEqual(sums, { client: UP_BYTES, endpoint: DOWN_BYTES });
      assert.ok(others.length >= 2);
    });
  }
});
