/** The metrics of a process with every kind of listener and cluster, as Prometheus and its tools see them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { runCommand } from '../support/run-command.ts';
import { WebRig } from '../support/web-rig.ts';
import { WsEndpoint } from '../support/ws-peer.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

describe('the metrics of a process', () => {
  const authority = new CertificateAuthority();
  const startedAt = Date.now() / 1000;
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    app = await WsEndpoint.listen();
    const { port } = new URL(`tcp://${app.address}`);
    rig = await WebRig.start({
      workers: { l7: 2, l4: 1 },
      listeners: {
        web: {
          routes: [
            { match: { path: '/ping' }, respond: { body: 'pong\n' } },
            { match: {}, cluster: 'app' },
          ],
        },
        secure: { tls: { certificates: [authority.issue('web.example', ['DNS:web.example'])] } },
        tcp: { mode: 'l4', cluster: 'named' },
      },
      clusters: {
        app: { endpoints: [app.address], healthCheck: { type: 'tcp' } },
        named: { endpoints: [`localhost:${port}`] },
      },
    });
    for (const listener of ['web', 'tcp']) {
      const { client, endpoint } = await rig.join(app, { listener });
      client.socket.close(1000);
      await endpoint.closed();
    }
    assert.equal((await fetch(`http://${rig.address('web')}/ping`)).status, 200);
  });
  after(async () => {
    app.close();
    authority.remove();
    await rig.stop();
  });

  async function ask(accept: string): Promise<{ type: string; body: string }> {
    const { stdout, status } = await runCommand('curl', [
      ...['-sS', '-H', `Accept: ${accept}`, '-w', '%{content_type}', `http://${rig.sluice.admin}/metrics`],
    ]);
    assert.equal(status, 0);
    const end = stdout.lastIndexOf('\n') + 1;
    return { type: stdout.slice(end), body: stdout.slice(0, end) };
  }

  it('pass promtool without a complaint', async () => {
    const { type, body } = await ask('text/plain');
    assert.equal(type, TEXT);
    for (const family of [
      'sluice_ws_sessions_total',
      'sluice_tunnels_total',
      'sluice_endpoint_probes_total',
    ]) {
      assert.match(body, new RegExp(`^# TYPE ${family} counter$`, 'm'));
    }
    const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    });
    assert.deepEqual(
      { error, status, stdout, stderr },
      { error: undefined, status: 0, stdout: '', stderr: '' },
    );
  });

  it('are in OpenMetrics for whoever prefers it', async () => {
    const { type, body } = await ask('application/openmetrics-text;q=0.9,text/plain;q=0.5');
    assert.equal(type, OPEN_METRICS);
    assert.ok(body.endsWith('# EOF\n'));
  });

  it('tell when the configuration in use was loaded', async () => {
    const loadedAt = (await rig.scrape()).sum('sluice_config_last_reload_success_timestamp_seconds');
    assert.ok(loadedAt >= startedAt && loadedAt <= Date.now() / 1000);
  });
});
