/** Large transfers both ways at once, as a suite for every engine and every family of addresses. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { TunnelRig } from './rig.ts';
import type { TunnelEngine } from './rig.ts';

const MIB = 1024 * 1024;
/** Bytes that may take a minute. */
const SLOWEST = 20 * MIB;

/** @param bytesEachWay how much is carried in each direction */
export function describeTransfers(engine: TunnelEngine, bytesEachWay = 24 * MIB): void {
  describe(`a large transfer by the ${engine.name} engine`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-transfer-'));
    const deadlineMs = Math.max(60_000, (bytesEachWay / SLOWEST) * 60_000);
    const endpoints = new Map<string, TcpEndpoint>();
    let rig: TunnelRig;

    before(async () => {
      endpoints.set('IPv4', await TcpEndpoint.listen());
      endpoints.set('UNIX', await TcpEndpoint.listen({ path: join(directory, 'endpoint') }));
      // A machine without IPv6 has no such address.
      const ipv6 = await TcpEndpoint.listen({ host: '::1', port: 0 }).catch(() => null);
      if (ipv6 !== null) endpoints.set('IPv6', ipv6);
      rig = await TunnelRig.start(
        engine,
        1,
        Object.fromEntries(
          [...endpoints].map(([family, { address }]) => [
            family,
            { endpoints: [address], listener: family === 'IPv6' ? { address: '[::1]:0' } : {} },
          ]),
        ),
      );
    });
    after(async () => {
      for (const endpoint of endpoints.values()) endpoint.close();
      rmSync(directory, { recursive: true });
      await rig.stop();
    });

    for (const family of ['IPv4', 'IPv6', 'UNIX']) {
      it(`brings every byte both ways at once, in order, and counts them (${family})`, async (test) => {
        const endpoint = endpoints.get(family);
        if (endpoint === undefined) {
          test.skip('this machine has no IPv6');
          return;
        }
        const start = performance.now();
        const { client, peer } = await rig.join(family, endpoint);
        client.read();
        peer.read();
        const [up, down] = await Promise.all([
          client.sendRandom(bytesEachWay),
          peer.sendRandom(bytesEachWay),
        ]);
        assert.equal(await peer.receives(bytesEachWay, deadlineMs), up);
        assert.equal(await client.receives(bytesEachWay, deadlineMs), down);
        client.end();
        await peer.ended();
        peer.end();
        assert.equal(await client.closed(), '');
        assert.deepEqual([client.received, peer.received], [bytesEachWay, bytesEachWay]);
        const rate = (2 * bytesEachWay) / MIB / ((performance.now() - start) / 1000);
        test.diagnostic(
          `${engine.name}, ${family}: ${bytesEachWay / MIB} MiB each way, ${Math.round(rate)} MiB/s`,
        );

        const metrics = await rig.settled();
        for (const direction of ['upstream', 'downstream']) {
          const labels = { listener: family, cluster: family, direction };
          assert.equal(metrics.sum('sluice_tunnel_bytes_total', labels), bytesEachWay);
        }
        const ended = await rig.sluice.waitForLog(
          ({ msg, listener }) => msg === 'tunnel closed' && listener === family,
        );
        const { cluster, endpoint: label, client: address, bytesUpstream, bytesDownstream, reason } = ended;
        assert.deepEqual(
          { cluster, label, address, bytesUpstream, bytesDownstream, reason },
          {
            cluster: family,
            label: endpoint.address,
            address: family === 'IPv6' ? '::1' : '127.0.0.1',
            bytesUpstream: bytesEachWay,
            bytesDownstream: bytesEachWay,
            reason: 'closed',
          },
        );
      });
    }
  });
}
