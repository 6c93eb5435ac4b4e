/** The promises of `src/l4/tunnel.ts` about one tunnel, as a suite for every engine, kept or broken by a real proxy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer } from 'node:tls';
import { codeOf } from '../../../src/core/errors.ts';
import { eventually, within } from '../../support/deadline.ts';
import { refusingEndpoint, silentEndpoint } from '../../support/sockets/bad-endpoints.ts';
import type { BadEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { scrape } from '../../support/http/metrics.ts';
import { descriptors, residentBytes, unreadBytes } from '../../support/processes/process-facts.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import type { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY } from '../../unit/config/pem.ts';
import { TunnelRig } from './rig.ts';
import type { TunnelEngine } from './rig.ts';

const MIB = 1024 * 1024;
/** What a sender offers that must be stopped long before. */
const FLOOD = 1024 * MIB;
/** More than all the kernel's buffers on the way take together. */
const MOST_IN_FLIGHT = 256 * MIB;
/** What the memory of the proxy may grow by for all other reasons. */
const MEMORY_NOISE = 96 * MIB;
const CONNECT_TIMEOUT_MS = 600;
const IDLE_TIMEOUT_MS = 1000;
const HALF_CLOSE_TIMEOUT_MS = 1000;

export function describeTunnels(engine: TunnelEngine): void {
  const linuxOnly = process.platform === 'linux' ? false : 'needs /proc';

  describe(`a tunnel of the ${engine.name} engine`, { timeout: 300_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-tunnel-'));
    let rig: TunnelRig;
    let plain: TcpEndpoint;
    let unix: TcpEndpoint;
    let ipv6: TcpEndpoint | null;
    let curt: TcpEndpoint;
    let refusing: BadEndpoint;
    let silent: BadEndpoint;
    let tls: TlsServer;
    let webSockets: WsEndpoint;

    before(async () => {
      plain = await TcpEndpoint.listen();
      unix = await TcpEndpoint.listen({ path: join(directory, 'endpoint') });
      // A machine without IPv6 has no such address.
      ipv6 = await TcpEndpoint.listen({ host: '::1', port: 0 }).catch(() => null);
      curt = await TcpEndpoint.listen(undefined, (peer) => peer.read().end());
      refusing = await refusingEndpoint();
      silent = await silentEndpoint();
      webSockets = await WsEndpoint.listen();
      tls = createTlsServer({ cert: GOOD_CERT, key: GOOD_KEY, allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      await once(tls.listen(0, '127.0.0.1'), 'listening');
      const tlsAddress = `127.0.0.1:${(tls.address() as AddressInfo).port}`;
      const ca = join(directory, 'ca.pem');
      writeFileSync(ca, CA_CERT);
      const connectTimeout = `${CONNECT_TIMEOUT_MS}ms`;
      rig = await TunnelRig.start(engine, 1, {
        plain: { endpoints: [plain.address] },
        unix: { endpoints: [unix.address] },
        ...(ipv6 !== null && { ipv6: { endpoints: [ipv6.address], listener: { address: '[::1]:0' } } }),
        curt: { endpoints: [curt.address] },
        'one-refuses': { endpoints: [refusing.address, plain.address] },
        'all-refuse': { endpoints: [refusing.address, `unix:${join(directory, 'nobody')}`] },
        silent: { endpoints: [silent.address], cluster: { connectTimeout, retries: 0 } },
        'one-silent': { endpoints: [silent.address, plain.address], cluster: { connectTimeout } },
        idle: { endpoints: [plain.address], listener: { idleTimeout: `${IDLE_TIMEOUT_MS}ms` } },
        'half-close': {
          endpoints: [plain.address],
          listener: { idleTimeout: '0s', halfCloseTimeout: `${HALF_CLOSE_TIMEOUT_MS}ms` },
        },
        'half-close-never': {
          endpoints: [plain.address],
          listener: { idleTimeout: `${IDLE_TIMEOUT_MS}ms`, halfCloseTimeout: '0s' },
        },
        limited: { endpoints: [plain.address], listener: { maxConnections: 2 } },
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
      for (const endpoint of [plain, unix, ipv6, curt, refusing, silent, tls, webSockets]) endpoint?.close();
      rmSync(directory, { recursive: true });
      await rig.stop();
    });

    it('lets the endpoint go on when the client has ended its direction', async () => {
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

    it('lets the client go on when the endpoint has ended its direction', async () => {
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

    it('passes a reset on, in whatever state it comes', async () => {
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
            receiver.flood(MOST_IN_FLIGHT);
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
      peer.read().flood(FLOOD);
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
          sender.flood(FLOOD);
          const taken = await sender.floodStops();
          assert.ok(taken < MOST_IN_FLIGHT, `${taken} bytes of the ${from} were taken`);
          const growth = residentBytes(rig.sluice.pid) - memory;
          assert.ok(growth < MEMORY_NOISE, `the proxy grew by ${growth} bytes`);
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

    it(
      'reads nothing from a client whose endpoint has not accepted, and closes it in time',
      { skip: linuxOnly },
      async () => {
        const before = await scrape(rig.sluice);
        const memory = residentBytes(rig.sluice.pid);
        const start = performance.now();
        const client = await rig.connect('silent');
        client.read().flood(FLOOD);
        await client.closed();
        assert.ok(performance.now() - start >= CONNECT_TIMEOUT_MS - 100, 'the endpoint has had its time');
        assert.equal(client.received, 0);
        assert.ok(client.flooded < MOST_IN_FLIGHT, `${client.flooded} bytes were taken`);
        const growth = residentBytes(rig.sluice.pid) - memory;
        assert.ok(growth < MEMORY_NOISE, `the proxy grew by ${growth} bytes`);
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

    it('leaves in the kernel what comes before an endpoint has accepted', { skip: linuxOnly }, async () => {
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
        // None before it has come, and no connection after the end.
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
      it(`gives the next endpoint all that the client has sent where ${listener}`, async () => {
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

    it('closes the client where every endpoint refuses', async () => {
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

    it('is closed when nothing crosses for the idle timeout, and not before', async () => {
      const start = performance.now();
      const { client, peer } = await rig.join('idle', plain);
      await Promise.all([client.read().ended(), peer.read().ended()]);
      assert.ok(performance.now() - start >= IDLE_TIMEOUT_MS - 100);
      const line = await rig.sluice.waitForLog(
        ({ listener, msg }) => listener === 'idle' && msg === 'tunnel closed',
      );
      assert.equal(line.reason, 'idle timeout');
    });

    it('is not closed while something crosses in one direction', async () => {
      await outlives(IDLE_TIMEOUT_MS, async () => {
        const { client, peer } = await rig.join('idle', plain);
        client.read();
        return { sender: client, receiver: peer.read() };
      });
    });

    for (const from of ['client', 'peer'] as const) {
      const who = from === 'client' ? 'client' : 'endpoint';

      it(`is closed when the ${who} has ended its direction and nothing crosses for halfCloseTimeout`, async () => {
        const labels = { listener: 'half-close' };
        const reason = 'half_close_timeout';
        const before = await scrape(rig.sluice);
        // Without FIN it lives: idleTimeout is 0.
        const open = await rig.join('half-close', plain);
        const joined = await rig.join('half-close', plain);
        const ended = joined[from].read();
        const other = joined[from === 'client' ? 'peer' : 'client'].read();
        const start = performance.now();
        ended.end();
        await other.ended();
        assert.equal(await ended.closed(), '');
        assert.ok(performance.now() - start >= HALF_CLOSE_TIMEOUT_MS - 100);
        const after = await eventually(async () => {
          const metrics = await scrape(rig.sluice);
          assert.equal(metrics.sum('sluice_tunnels_active', labels), 1);
          return metrics;
        });
        const gained = (name: string, more: Readonly<Record<string, string>>): number =>
          after.sum(name, { ...labels, ...more }) - before.sum(name, { ...labels, ...more });
        assert.equal(gained('sluice_tunnels_closed_total', {}), 1);
        assert.equal(gained('sluice_tunnels_closed_total', { reason }), 1);
        await rig.sluice.waitForLog(
          ({ listener, msg, reason }) =>
            listener === 'half-close' && msg === 'tunnel closed' && reason === 'half-close timeout',
        );
        open.client.send('still here');
        await open.peer.read().receivesText('still here');
      });

      it(`is not closed while something crosses after the ${who} has ended its direction`, async () => {
        await outlives(HALF_CLOSE_TIMEOUT_MS, async () => {
          const joined = await rig.join('half-close', plain);
          const receiver = joined[from].read();
          const sender = joined[from === 'client' ? 'peer' : 'client'].read();
          receiver.end();
          await sender.ended();
          return { sender, receiver };
        });
      });

      it(`lives for idleTimeout after the ${who} has ended its direction if halfCloseTimeout is 0`, async () => {
        const labels = { listener: 'half-close-never', reason: 'idle_timeout' };
        const closes = async (): Promise<number> =>
          (await scrape(rig.sluice)).sum('sluice_tunnels_closed_total', labels);
        const before = await closes();
        const joined = await rig.join('half-close-never', plain);
        const ended = joined[from].read();
        const other = joined[from === 'client' ? 'peer' : 'client'].read();
        const start = performance.now();
        ended.end();
        await other.ended();
        assert.equal(await ended.closed(), '');
        assert.ok(performance.now() - start >= IDLE_TIMEOUT_MS - 100);
        await eventually(async () => assert.equal((await closes()) - before, 1));
      });
    }

    it('is not half-closed while bytes before the FIN wait for a slow reader', async () => {
      const { client, peer } = await rig.join('half-close', plain);
      peer.flood(FLOOD);
      await peer.floodStops();
      peer.stopFlood();
      peer.end();
      // A tunnel that is half-closed after it has had its time.
      const later = await rig.join('half-close', plain);
      later.client.end();
      assert.equal(await later.client.read().closed(), '');
      await client.read().ended();
      assert.equal(client.received, peer.flooded);
    });

    it('is refused to who comes when the listener has maxConnections', async () => {
      const first = await rig.join('limited', plain);
      const second = await rig.join('limited', plain);
      // Reset perhaps before its end here has seen the connection.
      const third = rig.connect('limited').then((client) => client.read().closed());
      assert.equal(await third.catch((error: unknown) => codeOf(error)), 'ECONNRESET');
      second.client.read().send('still here');
      await second.peer.read().receivesText('still here');
      first.client.reset();
      const labels = { listener: 'limited' };
      await eventually(async () => {
        assert.equal((await scrape(rig.sluice)).sum('sluice_connections_active', labels), 1);
      });
      const fourth = await rig.join('limited', plain);
      fourth.client.send('room again');
      await fourth.peer.read().receivesText('room again');
      const metrics = await scrape(rig.sluice);
      assert.equal(metrics.sum('sluice_connections_rejected_total', { ...labels, reason: 'limit' }), 1);
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

interface OneWay {
  readonly sender: TcpPeer;
  readonly receiver: TcpPeer;
}

/** Sends a byte every 20 ms for twice a time limit, and asserts that the tunnel lives. */
async function outlives(limitMs: number, join: () => Promise<OneWay>): Promise<void> {
  // A machine that stops the test for so long makes its tunnel idle: such a run tells nothing.
  for (let runs = 0; runs < 5; runs++) {
    const { sender, receiver } = await join();
    let heard = performance.now();
    const end = heard + 2 * limitMs;
    let longestGap = 0;
    while (receiver.isOpen && performance.now() < end) {
      sender.send('.');
      await Promise.race([receiver.receives(receiver.received + 1), receiver.ended()]);
      await new Promise((settle) => setTimeout(settle, 20));
      longestGap = Math.max(longestGap, performance.now() - heard);
      heard = performance.now();
    }
    if (receiver.isOpen) return;
    assert.ok(longestGap > limitMs / 2, `closed, and something crossed every ${longestGap} ms`);
  }
  assert.fail('the machine is too slow for this test');
}
