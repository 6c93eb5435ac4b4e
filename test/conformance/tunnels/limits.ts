/** How long a tunnel lives in silence, and how many a listener has, as a suite for every engine. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { codeOf } from '../../../src/core/errors.ts';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { TcpEndpoint, type TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { TunnelRig, type TunnelEngine } from './rig.ts';

/** Bytes that a sender offers. Backpressure must stop it long before. */
const FLOOD_BYTES = 1024 * 1024 * 1024;
const IDLE_TIMEOUT_MS = 500;
const HALF_CLOSE_TIMEOUT_MS = 500;

export function describeTunnelLimits(engine: TunnelEngine): void {
  describe(`a tunnel of the ${engine.name} engine with limits`, { timeout: 300_000 }, () => {
    let rig: TunnelRig;
    let plain: TcpEndpoint;

    before(async () => {
      plain = await TcpEndpoint.listen();
      rig = await TunnelRig.start(engine, 1, {
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
      });
    });
    afterEach(async () => {
      plain.clear();
      await rig.clear();
    });
    after(async () => {
      plain.close();
      await rig.stop();
    });

    it('is closed after the idle timeout without traffic, and not before', async () => {
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
      peer.flood(FLOOD_BYTES);
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

    it('is refused to clients when the listener has maxConnections', async () => {
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
  });
}

interface OneWay {
  readonly sender: TcpPeer;
  readonly receiver: TcpPeer;
}

/** Sends a byte every 20 ms for twice a time limit, and asserts that the tunnel lives. */
async function outlives(limitMs: number, join: () => Promise<OneWay>): Promise<void> {
  // A machine that stops the test for this long makes the tunnel idle: the run proves nothing.
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
