import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import type { L4Listener, L7Listener } from '../../../src/config/types/listener.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { TappedTunnel } from '../../../src/telemetry/tap/tap.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { within } from '../../support/deadline.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { certificateOf } from '../../support/tls/listener-tls.ts';
import { l4Listener, l7Listener, listenerTls } from '../../unit/primary/fixtures/config.ts';
import { freshAddress } from '../../unit/sys/pairs.ts';
import { TappedWorker, type TapNotes } from './tapped-worker.ts';

const ENGINES = unsupportedReason() === null ? (['raw', 'net'] as const) : (['net'] as const);
/** Large enough to go through the pipe of the raw engine. */
const UP_BYTES = 2 ** 20;
const DOWN_BYTES = 300_000;
/** The server name of tunnels through layer 7. */
const NAME = 'through.test';

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
    it(`receives every read of both sides, and the end: ${engine}`, async () => {
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
      assert.equal(calls[0], 'opened');
      assert.equal(calls.at(-1), `ended: closed, ${UP_BYTES} up, ${DOWN_BYTES} down`);
      assert.deepEqual(sumsOf(calls), { client: UP_BYTES, endpoint: DOWN_BYTES });
    });
  }
});

describe('the tap of a tunnel through a listener of layer 7', () => {
  let endpoint: RawEndpoint;
  let worker: TappedWorker;

  before(async () => {
    const certificate = certificateOf(new CertificateAuthority().issue(NAME, [`DNS:${NAME}`]));
    endpoint = await RawEndpoint.listen(null, { cert: certificate.certPem, key: certificate.keyPem });
    const listeners = ENGINES.map(async (engine): Promise<L7Listener> => {
      const { address } = await freshAddress('IPv4');
      return {
        ...l7Listener,
        name: engine,
        engine,
        address: address as L7Listener['address'],
        tls: listenerTls([certificate]),
        passthrough: [{ serverNames: [NAME], cluster: 'app' }],
      };
    });
    worker = await TappedWorker.start('l7', await Promise.all(listeners), endpoint.address);
  });
  after(async () => {
    await worker.stop();
    endpoint.close();
  });

  for (const engine of ENGINES) {
    it(`receives every read, the ClientHello included, and knows the server name: ${engine}`, async () => {
      const { hostname: host, port } = new URL(`tcp://${worker.address(engine)}`);
      const socket = connect({ host, port: Number(port), servername: NAME, rejectUnauthorized: false });
      await within('the handshake', once(socket, 'secureConnect'));
      const client = new RawConnection(socket);
      const server = await endpoint.connections.next();
      client.write('hello');
      await server.bytes(5);
      socket.end();
      server.socket.end();
      const { facts, calls, end } = await worker.notes.next();
      assert.deepEqual([facts.listener, (facts as TappedTunnel).serverName], [engine, NAME]);
      assert.equal(calls[0], 'opened');
      const { bytesUpstream, bytesDownstream } = end;
      assert.ok(bytesUpstream > 200 && bytesDownstream > 200);
      assert.deepEqual(sumsOf(calls), { client: bytesUpstream, endpoint: bytesDownstream });
    });
  }
});

/** Adds up the reads of each side. */
function sumsOf(calls: TapNotes['calls']): { client: number; endpoint: number } {
  const sums = { client: 0, endpoint: 0 };
  for (const call of calls) {
    const [, bytes, side] = /^(\d+) of (client|endpoint)$/.exec(call) ?? [];
    if (side !== undefined) sums[side as keyof typeof sums] += Number(bytes);
  }
  return sums;
}
