/** What `src/l4/tunnel.ts` promises of one tunnel between any two ends, as a suite for every engine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls, createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { within } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { residentBytes } from '../../support/processes/process-facts.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY } from '../../unit/config/pem.ts';
import { TunnelRig, type TunnelEngine } from './rig.ts';

const MIB = 1024 * 1024;
/** Bytes that a sender offers. Backpressure must stop it long before. */
const FLOOD_BYTES = 1024 * MIB;
/** More than all the kernel's buffers on the way take together. */
const MAX_BYTES_IN_FLIGHT = 256 * MIB;
/** Growth of the proxy's memory for all other reasons. */
const MEMORY_NOISE_BYTES = 96 * MIB;

export function describeTunnels(engine: TunnelEngine): void {
  const linuxOnly = process.platform === 'linux' ? false : 'needs /proc';

  describe(`a tunnel of the ${engine.name} engine`, { timeout: 300_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-tunnel-'));
    let rig: TunnelRig;
    let plain: TcpEndpoint;
    let unix: TcpEndpoint;
    let ipv6: TcpEndpoint | null;
    let tls: TlsServer;
    let webSockets: WsEndpoint;

    before(async () => {
      plain = await TcpEndpoint.listen();
      unix = await TcpEndpoint.listen({ path: join(directory, 'endpoint') });
      // A machine without IPv6 has no such address.
      ipv6 = await TcpEndpoint.listen({ host: '::1', port: 0 }).catch(() => null);
      webSockets = await WsEndpoint.listen();
      tls = createTlsServer({ cert: GOOD_CERT, key: GOOD_KEY, allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      await once(tls.listen(0, '127.0.0.1'), 'listening');
      const tlsAddress = `127.0.0.1:${(tls.address() as AddressInfo).port}`;
      const ca = join(directory, 'ca.pem');
      writeFileSync(ca, CA_CERT);
      rig = await TunnelRig.start(engine, 1, {
        plain: { endpoints: [plain.address] },
        unix: { endpoints: [unix.address] },
        ...(ipv6 !== null && { ipv6: { endpoints: [ipv6.address], listener: { address: '[::1]:0' } } }),
        tls: { endpoints: [tlsAddress] },
        'tls-upstream': {
          endpoints: [tlsAddress],
          cluster: { tls: { serverName: 'example.com', ca } },
          // Not every engine has TLS: it is for the proxy to choose one.
          listener: { engine: 'auto' },
        },
        'web-sockets': { endpoints: [webSockets.address] },
      });
    });
    afterEach(async () => {
      for (const endpoint of [plain, unix, ipv6]) endpoint?.clear();
      await rig.clear();
    });
    after(async () => {
      for (const endpoint of [plain, unix, ipv6, tls, webSockets]) endpoint?.close();
      rmSync(directory, { recursive: true });
      await rig.stop();
    });

    it('keeps the endpoint direction open after the client ended its own', async () => {
      const { client, peer } = await rig.join('plain', plain);
      client.read().send('question');
      client.end();
      await peer.read().receivesText('question');
      await peer.ended();
      const digest = await peer.sendRandom(2 * MIB);
      assert.equal(await client.receives(2 * MIB), digest);
      assert.ok(client.isOpen);
      peer.end();
      assert.equal(await client.closed(), '');
      assert.equal(await peer.closed(), '');
    });

    it('keeps the client direction open after the endpoint ended its own', async () => {
      const { client, peer } = await rig.join('plain', plain);
      peer.read().send('greeting');
      peer.end();
      await client.read().receivesText('greeting');
      await client.ended();
      const digest = await client.sendRandom(2 * MIB);
      assert.equal(await peer.receives(2 * MIB), digest);
      assert.ok(peer.isOpen);
      client.end();
      assert.equal(await peer.closed(), '');
      assert.equal(await client.closed(), '');
    });

    it('forwards a reset in every state', async () => {
      for (const from of ['client', 'peer'] as const) {
        for (const state of ['open', 'own direction ended', "the other's direction ended"] as const) {
          const joined = await rig.join('plain', plain);
          const sender = joined[from].read();
          const receiver = joined[from === 'client' ? 'peer' : 'client'].read();
          sender.send('x');
          receiver.send('y');
          await Promise.all([sender.receives(1), receiver.receives(1)]);
          if (state === 'own direction ended') {
            sender.end();
            await receiver.ended();
            // An ended direction is not read, so that a reset behind it shows only to who writes.
            sender.socket.pause();
            receiver.flood(MAX_BYTES_IN_FLIGHT);
          } else if (state !== 'open') {
            receiver.end();
            await sender.ended();
          }
          sender.reset();
          assert.match(await receiver.closed(), /^(ECONNRESET|EPIPE)$/, `${from}, ${state}`);
        }
      }
    });

    it('passes the reset of a client on while the endpoint is held back', async () => {
      const { client, peer } = await rig.join('plain', plain);
      peer.read().flood(FLOOD_BYTES);
      await peer.floodStops();
      client.reset();
      assert.match(await peer.closed(), /^(ECONNRESET|EPIPE)$/);
    });

    it(
      'stops who sends while the other does not read, and keeps no more than a buffer',
      { skip: linuxOnly },
      async () => {
        for (const from of ['client', 'peer'] as const) {
          const joined = await rig.join('plain', plain);
          const sender = joined[from].read();
          const stalled = joined[from === 'client' ? 'peer' : 'client'];
          const memory = residentBytes(rig.sluice.pid);
          sender.flood(FLOOD_BYTES);
          const taken = await sender.floodStops();
          assert.ok(taken < MAX_BYTES_IN_FLIGHT, `${taken} bytes of the ${from} were taken`);
          const growth = residentBytes(rig.sluice.pid) - memory;
          assert.ok(growth < MEMORY_NOISE_BYTES, `the proxy grew by ${growth} bytes`);
          // The other direction does not suffer.
          stalled.send('still here');
          await sender.receivesText('still here');
          sender.stopFlood();
          sender.end();
          await stalled.read().ended();
          assert.ok(sender.flooded >= taken);
          assert.equal(stalled.received, sender.flooded);
          stalled.end();
          assert.equal(await sender.closed(), '');
        }
      },
    );

    it('reaches an endpoint by UNIX socket', async () => {
      const { client, peer } = await rig.join('unix', unix);
      peer.read();
      client.read();
      const [up, down] = await Promise.all([client.sendRandom(MIB), peer.sendRandom(MIB)]);
      assert.equal(await peer.receives(MIB), up);
      assert.equal(await client.receives(MIB), down);
      client.end();
      await peer.ended();
      peer.send('last');
      await client.receives(MIB + 4);
      peer.end();
      assert.equal(await client.closed(), '');
    });

    it('closes the UNIX socket of a client that resets, and the client of a UNIX socket that fails', async () => {
      const first = await rig.join('unix', unix);
      first.client.reset();
      await first.peer.read().ended();
      first.peer.end();
      const second = await rig.join('unix', unix);
      second.peer.destroy();
      await second.client.read().ended();
    });

    it('listens on and dials IPv6 addresses', async (test) => {
      if (ipv6 === null) {
        test.skip('this machine has no IPv6');
        return;
      }
      assert.match(rig.sluice.address('ipv6'), /^\[::1\]:\d+$/);
      const { client, peer } = await rig.join('ipv6', ipv6);
      client.read().send('ping');
      await peer.read().receivesText('ping');
      peer.send('pong');
      await client.receivesText('pong');
      peer.reset();
      assert.equal(await client.closed(), 'ECONNRESET');
    });

    it('leaves TLS to its ends', async () => {
      const { hostname, port } = new URL(`tcp://${rig.sluice.address('tls')}`);
      const socket = connectTls({
        host: hostname,
        port: Number(port),
        servername: 'example.com',
        ca: CA_CERT,
      });
      await within('the TLS handshake', once(socket, 'secureConnect'));
      assert.ok(socket.authorized);
      assert.match(socket.getPeerX509Certificate()?.subjectAltName ?? '', /example\.com/i);
      socket.end('through TLS');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.equal(text, 'through TLS');
    });

    it('speaks TLS to the endpoints of a cluster that has it, and outlives a reset', async () => {
      const client = await rig.connect('tls-upstream');
      client.read().send('into TLS');
      await client.receivesText('into TLS');
      const sessions = (await scrape(rig.sluice)).sum('sluice_endpoint_connections_active', {
        cluster: 'tls-upstream',
      });
      assert.equal(sessions, 1);
      client.reset();
      await rig.settled();
      const next = await rig.connect('tls-upstream');
      next.read().send('again');
      next.end();
      await next.receivesText('again');
      assert.equal(await next.closed(), '');
    });

    it('carries WebSockets on any path', async () => {
      for (const path of ['/', '/any/path?token=1']) {
        const client = await WsPeer.connect(`ws://${rig.sluice.address('web-sockets')}${path}`);
        const peer = await webSockets.sessions.next();
        assert.equal(peer.url, path);
        client.socket.send('text');
        assert.deepEqual(await peer.messages.next(), { data: Buffer.from('text'), isBinary: false });
        const large = Buffer.alloc(3 * MIB, 'large');
        peer.socket.send(large);
        const { data, isBinary } = await client.messages.next();
        assert.ok(isBinary && data.equals(large));
        client.socket.close(3210, 'done');
        assert.deepEqual(await peer.closed(), { code: 3210, reason: 'done' });
        assert.deepEqual(await client.closed(), { code: 3210, reason: 'done' });
      }
    });
  });
}
