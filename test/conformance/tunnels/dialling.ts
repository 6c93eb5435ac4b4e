/** What becomes of a tunnel while its endpoint is dialled, as a suite for every engine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { descriptors, residentBytes, unreadBytes } from '../../support/processes/process-facts.ts';
import { refusingEndpoint, silentEndpoint, type BadEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { TunnelRig, type TunnelEngine } from './rig.ts';

const MIB = 1024 * 1024;
/** Bytes that a sender offers. Backpressure must stop it long before. */
const FLOOD_BYTES = 1024 * MIB;
/** More than all the kernel's buffers on the way take together. */
const MAX_BYTES_IN_FLIGHT = 256 * MIB;
/** Growth of the proxy's memory for all other reasons. */
const MEMORY_NOISE_BYTES = 96 * MIB;
const CONNECT_TIMEOUT_MS = 600;

export function describeDialling(engine: TunnelEngine): void {
  const linuxOnly = process.platform === 'linux' ? false : 'needs /proc';

  describe(`a tunnel that the ${engine.name} engine dials`, { timeout: 300_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-tunnel-'));
    let rig: TunnelRig;
    let plain: TcpEndpoint;
    let curt: TcpEndpoint;
    let refusing: BadEndpoint;
    let silent: BadEndpoint;

    before(async () => {
      plain = await TcpEndpoint.listen();
      curt = await TcpEndpoint.listen(undefined, (peer) => peer.read().end());
      refusing = await refusingEndpoint();
      silent = await silentEndpoint();
      const connectTimeout = `${CONNECT_TIMEOUT_MS}ms`;
      rig = await TunnelRig.start(engine, 1, {
        curt: { endpoints: [curt.address] },
        'one-refuses': { endpoints: [refusing.address, plain.address] },
        'all-refuse': { endpoints: [refusing.address, `unix:${join(directory, 'nobody')}`] },
        silent: { endpoints: [silent.address], cluster: { connectTimeout, retries: 0 } },
        'one-silent': { endpoints: [silent.address, plain.address], cluster: { connectTimeout } },
      });
    });
    afterEach(async () => {
      plain.clear();
      await rig.clear();
    });
    after(async () => {
      for (const endpoint of [plain, curt, refusing, silent]) endpoint.close();
      rmSync(directory, { recursive: true });
      await rig.stop();
    });

    it(
      'reads nothing from a client whose endpoint has not accepted, and closes it in time',
      { skip: linuxOnly },
      async () => {
        const before = await scrape(rig.sluice);
        const memory = residentBytes(rig.sluice.pid);
        const start = performance.now();
        const client = await rig.connect('silent');
        client.read().flood(FLOOD_BYTES);
        await client.closed();
        assert.ok(performance.now() - start >= CONNECT_TIMEOUT_MS - 100, 'the endpoint has had its time');
        assert.equal(client.received, 0);
        assert.ok(client.flooded < MAX_BYTES_IN_FLIGHT, `${client.flooded} bytes were taken`);
        const growth = residentBytes(rig.sluice.pid) - memory;
        assert.ok(growth < MEMORY_NOISE_BYTES, `the proxy grew by ${growth} bytes`);
        const after = await rig.settled();
        const gained = (name: string, labels: Readonly<Record<string, string>>): number =>
          after.sum(name, labels) - before.sum(name, labels);
        assert.equal(gained('sluice_tunnel_bytes_total', { listener: 'silent' }), 0);
        assert.equal(gained('sluice_tunnels_total', { listener: 'silent' }), 0);
        const failure = { cluster: 'silent', reason: 'timeout' };
        assert.equal(gained('sluice_endpoint_connect_failures_total', failure), 1);
        const rejection = { listener: 'silent', reason: 'dial_failed' };
        assert.equal(gained('sluice_connections_rejected_total', rejection), 1);
      },
    );

    it('leaves bytes in the kernel until an endpoint accepts', { skip: linuxOnly }, async () => {
      const port = Number(rig.sluice.address('silent').split(':')[1]);
      const seen = new Set<number | null>();
      // On a busy machine one may be over before it was looked at.
      for (let tries = 0; tries < 10 && seen.size === 0; tries++) {
        const client = await rig.connect('silent');
        client.read().send('x'.repeat(1000));
        const { localPort = 0 } = client.socket;
        while (client.isOpen) {
          seen.add(unreadBytes(port, localPort));
          await new Promise((settle) => setTimeout(settle, 20));
        }
        // No client before the header arrived, and no connection after the end.
        for (const outside of [0, null]) seen.delete(outside);
      }
      assert.deepEqual([...seen], [1000]);
    });

    it('closes a quiet client, too, whose endpoint does not accept, and gives up the dial', async () => {
      const open = (): number => (linuxOnly === false ? descriptors(rig.sluice.pid) : 0);
      const before = open();
      const client = await rig.connect('silent');
      await client.read().ended();
      client.end();
      assert.equal(await client.closed(), '');
      await eventually(() => assert.ok(open() <= before, `${open()} descriptors, ${before} before`));
    });

    for (const listener of ['one-refuses', 'one-silent']) {
      it(`gives the next endpoint all that the client has sent if ${listener}`, async () => {
        const before = await scrape(rig.sluice);
        const clients = await Promise.all(Array.from({ length: 6 }, () => rig.connect(listener)));
        for (const client of clients) {
          client.read().send('first words');
          client.end();
        }
        for (const peer of await Promise.all(clients.map(() => plain.peers.next()))) {
          await peer.read().receivesText('first words');
          await peer.ended();
          peer.send('answer');
          peer.end();
        }
        for (const client of clients) {
          await client.receivesText('answer');
          assert.equal(await client.closed(), '');
        }
        const after = await scrape(rig.sluice);
        const gained = (name: string, labels: Readonly<Record<string, string>>): number =>
          after.sum(name, labels) - before.sum(name, labels);
        const labels = { cluster: listener };
        // Round robin takes them by turns, as often as retries come between.
        const retries = gained('sluice_cluster_retries_total', labels);
        assert.ok(retries >= 2 && retries <= 4, `${retries} retries`);
        const reason = listener === 'one-refuses' ? 'refused' : 'timeout';
        assert.equal(gained('sluice_endpoint_connect_failures_total', { ...labels, reason }), retries);
        assert.equal(gained('sluice_tunnels_total', labels), 6);
        assert.equal(gained('sluice_connections_rejected_total', { listener }), 0);
      });
    }

    it('closes the client if every endpoint refuses', async () => {
      const client = await rig.connect('all-refuse');
      await client.read().ended();
      client.end();
      assert.equal(await client.closed(), '');
      assert.equal(client.received, 0);
      const metrics = await rig.settled();
      const refused = { cluster: 'all-refuse', reason: 'refused' };
      assert.equal(metrics.sum('sluice_endpoint_connect_failures_total', refused), 2);
      const rejected = { listener: 'all-refuse', reason: 'dial_failed' };
      assert.equal(metrics.sum('sluice_connections_rejected_total', rejected), 1);
      assert.equal(metrics.sum('sluice_tunnels_total', { listener: 'all-refuse' }), 0);
    });

    it('ends the direction of an endpoint that accepts and closes at once', async () => {
      const client = await rig.connect('curt');
      await client.read().ended();
      client.end();
      assert.equal(await client.closed(), '');
      assert.equal(client.received, 0);
    });
  });
}
