import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { opensslProblem } from '../../../src/sys/openssl.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

describe('the warm-up of a worker', { skip: unsupportedReason() ?? false, timeout: 120_000 }, () => {
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    rig = await WebRig.start({
      env: { SLUICE_WORKERS_WARMUP: '3s', SLUICE_LOG_LEVEL: 'debug' },
      listeners: { raw: { engine: 'raw' }, net: { engine: 'net' }, uws: { engine: 'uws' } },
      clusters: { app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    app.close();
    await rig.stop();
  });

  it('does private handshakes that no metric, log line or endpoint sees', async () => {
    const line = await rig.sluice.waitForLog(({ msg }) => msg === 'warmed up');
    assert.ok(Number(line.handshakes) > 10, `${String(line.handshakes)} handshakes`);
    const metrics = await rig.scrape();
    for (const name of [
      'sluice_connections_total',
      'sluice_ws_sessions_total',
      'sluice_ws_closes_total',
      'sluice_endpoint_connect_failures_total',
      'sluice_http_requests_total',
      'sluice_ws_handshake_failures_total',
    ]) {
      assert.equal(metrics.sum(name), 0, name);
    }
    const lines = rig.sluice.logs.filter((each) => JSON.stringify(each).includes('warm-up'));
    assert.deepEqual(lines, []);
  });

  it(
    'does handshakes over TLS for a listener that ends it',
    { skip: opensslProblem() ?? false },
    async () => {
      const authority = new CertificateAuthority();
      const { cert, key } = authority.issue('a.example', ['DNS:a.example']);
      const secure = await WebRig.start({
        env: { SLUICE_WORKERS_WARMUP: '3s', SLUICE_LOG_LEVEL: 'debug' },
        listeners: { web: { engine: 'raw', tls: { certificates: [{ cert, key }] } } },
        clusters: { app: { endpoints: [app.address] } },
      });
      try {
        const line = await secure.sluice.waitForLog(({ msg }) => msg === 'warmed up');
        assert.ok(Number(line.handshakes) > 10, `${String(line.handshakes)} handshakes`);
        const metrics = await secure.scrape();
        assert.equal(metrics.sum('sluice_connections_total'), 0);
        assert.equal(metrics.sum('sluice_connections_rejected_total'), 0);
      } finally {
        authority.remove();
        await secure.stop();
      }
    },
  );

  it('leaves no listening socket behind, and a worker that serves', async () => {
    for (const listener of ['raw', 'net', 'uws']) {
      const { client } = await rig.join(app, { listener });
      client.socket.close();
      await client.closed();
    }
    await rig.settled();
    const fds = readdirSync(`/proc/${rig.sluice.pid}/fd`).length;
    assert.ok(fds < 100, `${fds} descriptors`);
  });
});
