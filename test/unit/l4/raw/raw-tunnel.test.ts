import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress, parseTcpAddress, type TcpAddress } from '../../../../src/core/address.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { eventually } from '../../../support/deadline.ts';
import { TcpEndpoint, TcpPeer } from '../../../support/sockets/tcp-peer.ts';
import { freshAddress } from '../../sys/pairs.ts';
import { FakeLimits } from '../../access/fakes.ts';
import { withWorld, type World } from './world.ts';

const skip = unsupportedReason() ?? false;

async function withTunnels(
  proxyProtocol: 'off' | 'v1',
  test: (world: World, endpoint: TcpEndpoint) => Promise<void>,
): Promise<void> {
  const endpoint = await TcpEndpoint.listen();
  const { address: dead } = await freshAddress('IPv4');
  // The first attempt fails: each attempt sends the header.
  const addresses = [dead, parseTcpAddress(endpoint.address)!];
  const options = { cluster: { proxyProtocol, retries: 1 } };
  try {
    await withWorld(addresses, options, (world) => test(world, endpoint));
  } finally {
    endpoint.close();
  }
}

/** The header of version 1 for a client's connection. */
function headerOf(client: TcpPeer, address: TcpAddress): string {
  return `PROXY TCP4 127.0.0.1 127.0.0.1 ${client.socket.localPort} ${address.port}\r\n`;
}

describe('a tunnel of the raw engine', { skip, timeout: 60_000 }, () => {
  it("releases its client's places at its end", async () => {
    const endpoint = await TcpEndpoint.listen();
    const limits = new FakeLimits();
    try {
      await withWorld([parseTcpAddress(endpoint.address)!], { limits }, async (world) => {
        const client = await TcpPeer.connect(formatAddress(world.address));
        const peer = await endpoint.peers.next();
        assert.deepEqual([limits.entered, limits.held], [['connection 127.0.0.1'], 1]);
        client.end();
        await peer.read().ended();
        assert.equal(limits.held, 1);
        peer.end();
        await eventually(() => assert.equal(limits.held, 0));
      });
    } finally {
      endpoint.close();
    }
  });

  it('tells the endpoint both ends of the client’s connection, before the client’s bytes', async () => {
    await withTunnels('v1', async (world, endpoint) => {
      const client = await TcpPeer.connect(formatAddress(world.address));
      client.read().send('question');
      const peer = await endpoint.peers.next();
      await peer.read().receivesText(`${headerOf(client, world.address)}question`);
      client.end();
      await peer.ended();
      peer.send('answer');
      await client.receivesText('answer');
      peer.end();
      assert.equal(await client.closed(), '');
      const upstream = { direction: 'upstream' };
      await eventually(() => assert.equal(world.sum(pageMetrics.tunnelBytes, upstream), 'question'.length));
    });
  });

  it('sends the header of a client that reset its connection, then passes the reset on', async () => {
    await withTunnels('v1', async (world, endpoint) => {
      const client = await TcpPeer.connect(formatAddress(world.address));
      const { localPort } = client.socket;
      client.send('question');
      client.reset();
      const peer = await endpoint.peers.next();
      let received = '';
      peer.socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
      await peer.read().closed();
      // The reset may precede the header's creation: the port is unknown then.
      const ports = `(?:${localPort}|0) ${world.address.port}`;
      assert.match(received, new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${ports}\r\nquestion$`));
    });
  });

  it('sends no header to clusters without PROXY protocol', async () => {
    await withTunnels('off', async (world, endpoint) => {
      const client = await TcpPeer.connect(formatAddress(world.address));
      client.send('question');
      const peer = await endpoint.peers.next();
      await peer.read().receivesText('question');
      client.destroy();
    });
  });
});
