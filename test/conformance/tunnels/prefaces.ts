/** Tunnels to a cluster that gets PROXY headers, as a suite for every engine. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { freePorts } from '../../support/sockets/free-port.ts';
import { TcpEndpoint, type TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { TunnelRig, type TunnelEngine } from './rig.ts';

const MIB = 1024 * 1024;
const PAYLOAD = randomBytes(8 * MIB);

export function describePrefacedTunnels(engine: TunnelEngine): void {
  describe(`a tunnel of the ${engine.name} engine that starts with a PROXY header`, () => {
    let endpoint: TcpEndpoint;
    let rig: TunnelRig;

    before(async () => {
      endpoint = await TcpEndpoint.listen();
      const [dead] = await freePorts(1);
      rig = await TunnelRig.start(engine, 1, {
        told: { endpoints: [endpoint.address], cluster: { proxyProtocol: 'v1' } },
        retried: {
          endpoints: [`127.0.0.1:${dead!}`, endpoint.address],
          cluster: { proxyProtocol: 'v1', balancer: 'round_robin', retries: 1 },
        },
      });
    });
    afterEach(async () => {
      endpoint.clear();
      await rig.clear();
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    /** The header that the endpoint gets. */
    function headerOf({ socket }: TcpPeer, listener: string): string {
      const port = rig.sluice.address(listener).split(':').at(-1)!;
      return `PROXY TCP4 127.0.0.1 127.0.0.1 ${socket.localPort} ${port}\r\n`;
    }

    it('carries every byte after the header both ways, and does not count the header', async () => {
      const { client, peer } = await rig.join('told', endpoint);
      client.read().send(PAYLOAD);
      peer.read().send(PAYLOAD);
      const header = headerOf(client, 'told');
      const digest = createHash('sha256').update(header).update(PAYLOAD).digest('hex');
      assert.equal(await peer.receives(header.length + PAYLOAD.length), digest);
      assert.equal(await client.receives(PAYLOAD.length), createHash('sha256').update(PAYLOAD).digest('hex'));
      client.end();
      await peer.ended();
      peer.end();
      assert.equal(await client.closed(), '');
      const metrics = await rig.settled();
      for (const direction of ['upstream', 'downstream']) {
        const labels = { cluster: 'told', direction };
        assert.equal(metrics.sum('sluice_tunnel_bytes_total', labels), PAYLOAD.length);
      }
    });

    it('lets the endpoint speak first, and has it before FIN of a client that says nothing', async () => {
      const { client, peer } = await rig.join('told', endpoint);
      peer.read().send('greeting');
      await client.read().receivesText('greeting');
      client.end();
      await peer.ended();
      await peer.receivesText(headerOf(client, 'told'));
      peer.end();
      assert.equal(await client.closed(), '');
    });

    it('has it once at the endpoint that accepts behind one that does not', async () => {
      for (let turn = 0; turn < 2; turn++) {
        const { client, peer } = await rig.join('retried', endpoint);
        client.send('question');
        await peer.read().receivesText(`${headerOf(client, 'retried')}question`);
        client.destroy();
      }
    });
  });
}
