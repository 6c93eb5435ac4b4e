import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { PageText } from '../../../../../src/primary/admin/pages/page-body.ts';
import { textPage, withRig } from '../admin-rig.ts';

describe('the metrics of the admin server', { timeout: 300_000 }, () => {
  it('are rendered once for all requests within 100 ms, and fail for all of them', async () => {
    let renderings = 0;
    const metrics = (format: string): Promise<PageText> => {
      renderings++;
      if (format === 'openMetrics') return Promise.reject(new Error('broken'));
      return Promise.resolve(textPage(`a ${renderings}\n`));
    };
    await withRig({ metrics }, {}, async (rig) => {
      const begun = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => rig.ask('/metrics')));
      const most = (): number => 1 + Math.floor((performance.now() - begun) / 100);
      assert.ok(renderings <= most(), `${renderings} renderings`);
      assert.ok(answers.every(([status]) => status === 200));
      const accept = { accept: 'application/openmetrics-text' };
      for (const [status] of await Promise.all([1, 2].map(() => rig.ask('/metrics', undefined, accept)))) {
        assert.equal(status, 500);
      }
      const failures = rig.lines.filter(({ msg }) => msg === 'admin request failed').length;
      assert.ok(failures >= 1 && failures <= most(), `${failures} failures`);
    });
  });

  for (const header of ['no-cache', 'max-age=0', 'no-store, No-Cache']) {
    it(`are rendered after a request with Cache-Control: ${header}`, async () => {
      let value = 0;
      const metrics = (): Promise<PageText> => Promise.resolve(textPage(`a ${value}\n`));
      await withRig({ metrics }, {}, async (rig) => {
        await rig.ask('/metrics');
        value = 1;
        assert.deepEqual(await rig.ask('/metrics', undefined, { 'cache-control': header }), [200, 'a 1\n']);
      });
    });
  }

  it('are compressed on request, in length and body alike', async () => {
    const body = 'a_total 1\n'.repeat(1000);
    const metrics = (): Promise<PageText> => Promise.resolve(textPage(body));
    await withRig({ metrics }, {}, async (rig) => {
      const zipped = { 'accept-encoding': 'gzip;q=0.9' };
      const [, compressed] = await rig.ask('/metrics', undefined, zipped);
      assert.equal(gunzipSync(Buffer.from(compressed, 'latin1')).toString(), body);
      assert.equal((await rig.ask('/metrics'))[1], body);
      const client = await rig.dial();
      client.socket.write(
        'HEAD /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n',
      );
      const head = await client.closes();
      assert.match(head, /Content-Encoding: gzip\r\n/);
      assert.match(head, /Vary: Accept, Accept-Encoding\r\n/);
      assert.match(head, new RegExp(`Content-Length: ${compressed.length}\r\n`));
      assert.ok(head.endsWith('\r\n\r\n'));
    });
  });
});
