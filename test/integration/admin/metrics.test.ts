/** The metrics of a process with every kind of listener and cluster, as Prometheus and its tools see them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { HttpEndpoint, begin } from '../../support/http/http-endpoint.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

describe('the metrics of a process', () => {
  const authority = new CertificateAuthority();
  const startedAt = Date.now() / 1000;
  const files = mkdtempSync(join(tmpdir(), 'sluice-metrics-'));
  /** Answers nothing. */
  let silent: HttpEndpoint;
  let asked = 0;
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    writeFileSync(join(files, 'large'), '');
    // More than the kernel and the proxy keep for a client that does not read.
    truncateSync(join(files, 'large'), 64 * 1024 * 1024);
    const count = (): unknown => asked++;
    silent = await HttpEndpoint.listen(count);
    silent.onUpgrade(count);
    app = await WsEndpoint.listen();
    const { port } = new URL(`tcp://${app.address}`);
    rig = await WebRig.start({
      workers: { l7: 2, l4: 1 },
      listeners: {
        web: {
          routes: [
            { match: { path: '/ping' }, respond: { body: 'pong\n' } },
            { name: 'files', match: { path: '/large' }, static: { root: files } },
            { name: 'silent', match: { path: '/silent' }, cluster: 'silent' },
            { match: {}, cluster: 'app' },
          ],
        },
        secure: { tls: { certificates: [authority.issue('web.example', ['DNS:web.example'])] } },
        tcp: { mode: 'l4', cluster: 'named' },
      },
      clusters: {
        silent: { endpoints: [silent.address] },
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
    silent.close();
    authority.remove();
    rmSync(files, { recursive: true });
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

  it('are in OpenMetrics for clients that prefer it', async () => {
    const { type, body } = await ask('application/openmetrics-text;q=0.9,text/plain;q=0.5');
    assert.equal(type, OPEN_METRICS);
    assert.ok(body.endsWith('# EOF\n'));
  });

  it('count requests in flight until they end, whatever ends them, and no upgrades', async () => {
    const url = `http://${rig.address('web')}`;
    const inFlight = async (): Promise<number[]> => {
      const metrics = await rig.scrape();
      const of = (route: string): number =>
        metrics.sum('sluice_http_requests_active', { listener: 'web', route });
      return [of('files'), of('silent')];
    };
    const unread = await begin(`${url}/large`);
    const unanswered = request(`${url}/silent`, { agent: false }).on('error', () => undefined);
    unanswered.end();
    const upgrade = await rig.ask({ path: '/silent' });
    await eventually(() => assert.equal(asked, 2));
    assert.deepEqual(await inFlight(), [1, 1]);
    unread.destroy();
    unanswered.destroy();
    upgrade.destroy();
    await eventually(async () => assert.deepEqual(await inFlight(), [0, 0]));
  });

  it('report when the current configuration was loaded', async () => {
    const { body } = await ask('text/plain');
    const [, text] = /^sluice_config_last_reload_success_timestamp_seconds (\S+)$/m.exec(body) ?? [];
    const loadedAt = Number(text);
    assert.ok(loadedAt >= startedAt && loadedAt <= Date.now() / 1000);
  });
});

describe('the series of 50 clusters with 20 endpoints each', { timeout: 300_000 }, () => {
  let rig: WebRig;
  before(async () => {
    const names = Array.from({ length: 50 }, (_, index) => `cluster-${index}`);
    // Nobody listens on any of them.
    const ports = await freePorts(1000);
    rig = await WebRig.start({
      listeners: {
        web: {
          routes: names.map((name) => ({ name, match: { pathPrefix: `/${name}` }, cluster: name })),
        },
      },
      clusters: Object.fromEntries(
        names.map((name, index) => [
          name,
          {
            endpoints: ports.slice(20 * index, 20 * (index + 1)).map((port) => `127.0.0.1:${port}`),
            retries: 0,
          },
        ]),
      ),
      log: { access: false },
    });
  });
  after(() => rig.stop());

  async function samples(): Promise<string[]> {
    const headers = { 'cache-control': 'no-cache' };
    const response = await fetch(`http://${rig.sluice.admin}/metrics`, { headers });
    return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  }
  const failuresIn = (lines: readonly string[]): string[] =>
    lines.filter((line) => line.startsWith('sluice_endpoint_connect_failures_total{'));

  it('are fewer than 9,000, because an endpoint has no failure series before its first failure', async () => {
    const lines = await samples();
    assert.ok(lines.length < 9000, `${lines.length} series`);
    assert.ok(gzipSync(lines.join('\n')).length < 300 * 1024, 'a scrape is small');
    assert.deepEqual(failuresIn(lines), []);
    assert.ok(lines.includes('sluice_ws_handshake_failures_total{listener="web",reason="timeout"} 0'));
    const ups = lines.filter((line) => line.startsWith('sluice_endpoint_up{') && line.endsWith(' 1'));
    assert.equal(ups.length, 1000);
  });

  it('come with the first failure of their reason, and stay', async () => {
    const answer = await fetch(`http://${rig.address('web')}/cluster-7`);
    assert.equal(answer.status, 502);
    for (let time = 0; time < 2; time++) {
      const failures = failuresIn(await samples());
      assert.equal(failures.length, 1);
      assert.match(failures[0]!, /\{cluster="cluster-7",endpoint="127\.0\.0\.1:\d+",reason="refused"\} 1$/);
    }
  });
});
