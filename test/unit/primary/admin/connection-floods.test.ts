/** The effect of a flood of connections to the admin server on other clients. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planDescriptors } from '../../../../src/core/descriptor-limit.ts';
import { eventually } from '../../../support/deadline.ts';
import { LIVEZ, MAX_PER_ADDRESS, METRICS, heldMetrics, withRig } from './admin-rig.ts';

const MAX_CONNECTIONS = 128;

describe('a flood of connections to the admin server', { timeout: 300_000 }, () => {
  it('closes the oldest idle connections from the same address, and keeps nobody out', async () => {
    await withRig({}, {}, async (rig) => {
      const other = await rig.dial('127.0.0.2');
      const first = await rig.dialMany(MAX_PER_ADDRESS);
      const later = await rig.dialMany(100);
      await eventually(() => assert.equal(rig.closed('address'), 100));
      for (const client of first) await client.closes();
      assert.equal(rig.stats.connections, MAX_PER_ADDRESS + 1);
      await eventually(() => assert.ok(later.filter(({ isClosed }) => !isClosed).length <= MAX_PER_ADDRESS));
      assert.deepEqual(await rig.ask('/livez'), [200, 'ok\n']);
      other.socket.write(LIVEZ);
      await eventually(() => assert.match(other.received, /ok\n$/));
    });
  });

  it('from many addresses leaves room for a probe from another one', async () => {
    await withRig({}, {}, async (rig) => {
      const probe = await rig.dial('127.0.0.9');
      for (let last = 2; last <= 7; last++) await rig.dialMany(MAX_PER_ADDRESS, `127.0.0.${last}`);
      await eventually(() => assert.ok(rig.closed('full') >= 65));
      assert.ok(rig.stats.connections <= MAX_CONNECTIONS);
      probe.socket.write(LIVEZ);
      await eventually(() => assert.match(probe.received, /ok\n$/));
      for (const path of ['/livez', '/readyz', '/metrics', '/status']) {
        assert.equal((await rig.ask(path, '127.0.0.10'))[0], 200, path);
      }
    });
  });

  it('ends no request in progress', async () => {
    const held = heldMetrics();
    await withRig(held.view, {}, async (rig) => {
      const scraper = await rig.dial();
      scraper.socket.write(METRICS);
      await eventually(() => assert.equal(held.renderings(), 1));
      await rig.dialMany(100);
      for (let last = 2; last <= 6; last++) await rig.dialMany(40, `127.0.0.${last}`);
      await eventually(() => assert.ok(rig.closed('full') > 0));
      held.release();
      await eventually(() => assert.match(scraper.received, /held 1\n$/));
    });
  });

  it('that keeps every connection busy keeps no probe out, even from its own address', async () => {
    const held = heldMetrics();
    await withRig(held.view, {}, async (rig) => {
      for (let last = 2; last <= 5; last++) {
        for (const { socket } of await rig.dialMany(MAX_PER_ADDRESS, `127.0.0.${last}`))
          socket.write(METRICS);
      }
      await eventually(() => assert.equal(rig.stats.connections, MAX_CONNECTIONS));
      assert.deepEqual(await rig.ask('/livez', '127.0.0.9'), [200, 'ok\n']);
      assert.deepEqual(await rig.ask('/readyz', '127.0.0.2'), [200, 'ok\n']);
      held.release();
    });
  });

  it('under a small descriptor limit leaves half of the reserve', async () => {
    const held = heldMetrics();
    await withRig(
      held.view,
      {},
      async (rig) => {
        for (let last = 2; last <= 5; last++) {
          for (const { socket } of await rig.dialMany(12, `127.0.0.${last}`)) socket.write(METRICS);
        }
        await eventually(() => assert.equal(rig.closed('full'), 48 - 16));
        assert.equal(rig.stats.connections, 16);
        assert.deepEqual(await rig.ask('/livez', '127.0.0.9'), [200, 'ok\n']);
        held.release();
      },
      planDescriptors(256, 2),
    );
  });

  it('is logged in a few lines', async () => {
    await withRig(
      {
        token: 'a-token-of-20-chars.',
        commands: [{ path: '/reload', run: () => ({ status: 202, message: 'reloaded' }) }],
      },
      {},
      async (rig) => {
        await rig.dialMany(100);
        for (let attempt = 0; attempt < 100; attempt++) {
          const status = await rig.ask('/status', '127.0.0.2', { host: 'attacker.example' });
          assert.equal(status[0], 421);
        }
        assert.equal(rig.refused('host'), 100);
        await eventually(() => assert.ok(rig.closed('address') >= 68));
        assert.deepEqual(
          rig.lines.map(({ msg }) => msg),
          ['admin connection closed', 'admin request refused'],
        );
      },
    );
  });
});
