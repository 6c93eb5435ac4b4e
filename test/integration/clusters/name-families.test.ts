import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { dnsServerMissing } from '../../support/processes/dns-server.ts';
import { NameStage, addresses } from '../../support/rigs/name-stage.ts';
import type { WebRig } from '../../support/rigs/web-rig.ts';
import { silentEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';

const stage = new NameStage();
afterEach(() => stage.clear());

describe(
  'a name with addresses of both families',
  { skip: dnsServerMissing() ?? false, timeout: 300_000 },
  () => {
    const LISTENERS = {
      web: {},
      raw: { mode: 'l4', cluster: 'app', engine: 'raw' },
      net: { mode: 'l4', cluster: 'app', engine: 'net' },
    };
    const hosts = [
      ['::1', 'app.test'],
      ['127.0.0.2', 'app.test'],
    ] as const;

    /** A greeting endpoint at 127.0.0.2, and what is at ::1 on the same port. */
    async function mixed<Other>(
      listen: (port: number) => Promise<Other>,
    ): Promise<{ port: number; other: Other }> {
      return eventually(async () => {
        const greeter = await TcpEndpoint.listen({ host: '127.0.0.2', port: 0 }, (peer) => {
          peer.read().send('HTTP/1.1 418 Here\r\nContent-Length: 0\r\n\r\n');
          peer.socket.once('end', () => peer.end());
        });
        const port = Number(greeter.address.split(':').at(-1));
        try {
          const other = await listen(port);
          stage.onClear(() => greeter.close());
          return { port, other };
        } catch (error) {
          greeter.close();
          throw error;
        }
      });
    }

    async function assertAllReach(rig: WebRig): Promise<void> {
      for (let count = 0; count < 3; count++) {
        const client = await rig.ask();
        assert.match((await client.head()).startLine, /^HTTP\/1\.1 418 /);
        client.destroy();
        for (const listener of ['raw', 'net']) {
          const tunnel = await TcpPeer.connect(rig.address(listener));
          await tunnel.read().receives(40);
          tunnel.destroy();
        }
      }
    }

    it('is reached by the other family if the first refuses', async () => {
      const { port } = await mixed(() => Promise.resolve());
      const dns = await stage.dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve, retries: 0 }, LISTENERS);
      assert.deepEqual(await addresses(rig), [`[::1]:${port}`], 'one endpoint with two ways to it');
      await assertAllReach(rig);
      assert.equal((await rig.scrape()).sum('sluice_endpoint_ejections_total'), 0);
    });

    it('has a line with the address that failed last if none can be reached', async () => {
      const [port] = await freePorts(1);
      const dns = await stage.dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await stage.proxy({ endpoints: [`app.test:${port}`], resolve, retries: 0 }, LISTENERS);
      for (const listener of ['raw', 'net']) {
        const lines = rig.sluice.logs.length;
        (await TcpPeer.connect(rig.address(listener))).read();
        const { detail } = await eventually(() => {
          const line = rig.sluice.logs.slice(lines).find(({ msg }) => msg === 'endpoint failed');
          assert.ok(line);
          return line;
        });
        assert.match(String(detail), /ECONNREFUSED.*127\.0\.0\.2/, listener);
      }
    });

    it('is reached by the other family if the first is silent, long before the dial times out', async () => {
      const { port, other } = await mixed((port) => silentEndpoint('::1', port));
      stage.onClear(() => other.close());
      const dns = await stage.dnsServer({ ttl: 1, hosts });
      const resolve = { type: 'a', interval: '1s', servers: [dns.address] };
      const rig = await stage.proxy(
        { endpoints: [`app.test:${port}`], resolve, retries: 0, connectTimeout: '10m' },
        LISTENERS,
      );
      await assertAllReach(rig);
      assert.equal((await rig.scrape()).sum('sluice_endpoint_connect_failures_total'), 0);
    });
  },
);
