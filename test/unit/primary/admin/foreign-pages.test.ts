import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandAnswer } from '../../../../src/protocol/admin/answers.ts';
import { withRig } from './admin-rig.ts';

describe('a foreign page at the admin server', { timeout: 300_000 }, () => {
  it('is refused by its Host or Origin, except for health and metrics', async () => {
    const hosts = ['sluice.internal'];
    await withRig({ hosts }, {}, async (rig) => {
      for (const host of ['localhost', '127.0.0.1', '[::1]:9480', 'Sluice.Internal:9480']) {
        assert.equal((await rig.ask('/status', undefined, { host }))[0], 200, host);
      }
      const [status, body] = await rig.ask('/status', undefined, { host: 'attacker.example' });
      assert.equal(status, 421);
      assert.match((JSON.parse(body) as CommandAnswer).message, /add the name to admin\.hosts$/);
      for (const path of ['/livez', '/readyz', '/metrics']) {
        assert.equal((await rig.ask(path, undefined, { host: 'sluice-admin.svc:9480' }))[0], 200, path);
      }
      for (const path of ['/status', '/metrics', '/reload', '/nothing']) {
        const headers = { host: 'localhost', origin: 'https://attacker.example' };
        assert.equal((await rig.ask(path, undefined, headers))[0], 403, path);
      }
      assert.equal((await rig.ask('/status', undefined, { host: 'a:1', origin: 'http://a:1' }))[0], 421);
      const own = { host: 'localhost:9480', origin: 'http://localhost:9480' };
      assert.equal((await rig.ask('/status', undefined, own))[0], 200);
      assert.deepEqual([rig.refused('host'), rig.refused('origin')], [2, 4]);
    });
  });

  it('needs one Host in HTTP/1.1, and none in HTTP/1.0', async () => {
    await withRig({}, {}, async (rig) => {
      for (const [head, expected] of [
        ['GET /livez HTTP/1.1\r\nConnection: close', 400],
        ['GET /livez HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b', 400],
        ['GET /status HTTP/1.0', 200],
        ['GET /status HTTP/1.0\r\nHost: attacker.example', 421],
        ['GET http://localhost/status HTTP/1.1\r\nConnection: close\r\nHost: attacker.example', 200],
        ['GET http://attacker.example/status HTTP/1.1\r\nConnection: close\r\nHost: localhost', 421],
      ] as const) {
        const client = await rig.dial();
        client.socket.write(`${head}\r\n\r\n`);
        const received = await client.closes();
        assert.equal(Number(received.split(' ')[1]), expected, head);
      }
      assert.equal(rig.refused('malformed'), 2);
    });
  });
});
