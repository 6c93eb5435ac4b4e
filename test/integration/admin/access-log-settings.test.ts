/** The access log apart from the log: its file, formats, sampling and fields, by reloads of a real process. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import { RawConnection, upgradeRequest } from '../../support/sockets/raw-connection.ts';

const TOKEN = 'a-token-for-tests-only';

describe('the settings of the access log', { timeout: 300_000 }, () => {
  for (const engine of ENGINES) {
    it(`change by reloads on ${engine}, and a sampled log has all failures`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
      const file = join(directory, 'access.log');
      const config = (access: unknown): object => ({
        workers: { l7: 1, l4: 1 },
        admin: { address: '127.0.0.1:0', token: TOKEN },
        log: { access },
        listeners: [
          {
            name: 'web',
            mode: 'l7',
            engine,
            address: '127.0.0.1:0',
            routes: [
              { match: { path: '/bad' }, respond: { status: 500, body: 'x' } },
              { match: {}, respond: { status: 200, body: 'ok' } },
            ],
          },
        ],
      });
      const sluice = await startSluice({ config: config(true) });
      const headers = { authorization: `Bearer ${TOKEN}` };
      const reload = async (access: unknown): Promise<void> => {
        sluice.writeConfig(config(access));
        const { status } = await fetch(`http://${sluice.admin}/reload`, { method: 'POST', headers });
        assert.equal(status, 200);
      };
      const ask = async (path: string): Promise<void> => {
        const response = await fetch(`http://${sluice.address('web')}${path}`, {
          headers: { 'user-agent': 'a "quoted" agent', referer: 'https://a.example/b?token=c' },
        });
        await response.text();
      };
      const lines = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
      try {
        await reload({ file, format: 'combined' });
        await ask('/one?token=secret');
        await eventually(() => assert.equal(lines().length, 1));
        assert.match(
          lines()[0]!,
          /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/one HTTP\/1\.1" 200 2 "https:\/\/a\.example\/b" "a \\"quoted\\" agent"$/,
        );

        await reload({ file, sample: 0, fields: ['path', 'status', 'reason'] });
        for (let count = 0; count < 20; count++) await ask('/fine');
        await ask('/bad');
        const client = await RawConnection.connect(sluice.address('web'));
        client.write(upgradeRequest('app.example', [], '/refused'));
        await client.head();
        client.destroy();
        await eventually(() => assert.equal(lines().length, 3));
        const told = lines()
          .slice(1)
          .map((line) => {
            const { time: _, worker: __, ...fields } = JSON.parse(line) as Record<string, unknown>;
            return fields;
          });
        assert.deepEqual(told, [
          { level: 'info', path: '/bad', status: 500, msg: 'request' },
          { level: 'info', path: '/refused', status: 200, reason: 'not_websocket', msg: 'handshake refused' },
        ]);

        await reload({ file, format: 'text' });
        await ask(`/${'x'.repeat(500)}`);
        await eventually(() => assert.equal(lines().length, 4));
        assert.match(lines()[3]!, /^[\d-]{10} [\d:]{8} 200 GET \/x+~ 127\.0\.0\.1 \d+ms 2B$/);
        assert.ok(lines()[3]!.length <= 120);

        const events = await fetch(`http://${sluice.admin}/events`, { headers });
        const page = (await events.json()) as { events: { kind: string; reason: string; path?: string }[] };
        assert.deepEqual(
          page.events.filter(({ kind }) => kind === 'request').map(({ reason, path }) => [reason, path]),
          [['server_error', '/bad']],
        );
        assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
      } finally {
        sluice.kill('SIGKILL');
        rmSync(directory, { recursive: true });
      }
    });
  }
});
