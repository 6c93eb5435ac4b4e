/** A real Prometheus scrapes a sluice with traffic, and answers every query of the dashboard and of the rules. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ExemplarStore } from '../../../src/telemetry/exposition/exemplar-store.ts';
import { Exposition } from '../../../src/telemetry/exposition/exposition.ts';
import { pageFamilies } from '../../../src/telemetry/exposition/page-families.ts';
import { preferredFormat } from '../../../src/telemetry/exposition/preferred-format.ts';
import { pageMetrics } from '../../../src/telemetry/metrics/page-metrics.ts';
import { PageLayout } from '../../../src/telemetry/page-layout.ts';
import { PageSums } from '../../../src/telemetry/page-sums.ts';
import { StatsPage, allocatePage } from '../../../src/telemetry/stats-page.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { HttpEndpoint, ask } from '../../support/http/http-endpoint.ts';
import { filled, panelsOf, readDashboard } from '../../support/prometheus/dashboard.ts';
import { PrometheusServer } from '../../support/prometheus/prometheus-server.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

/** Panels that have nothing to show without a server of key sets. */
const MAY_BE_EMPTY = ['Age of key sets'];

describe('Prometheus', { timeout: 120_000 }, () => {
  const authority = new CertificateAuthority();
  let sockets: WsEndpoint;
  let http: HttpEndpoint;
  let rig: WebRig;
  let prometheus: PrometheusServer;
  let isOver = false;
  let traffic: Promise<void>;

  before(async () => {
    sockets = await WsEndpoint.listen();
    http = await HttpEndpoint.listen(({ url }, response) => {
      if (url === '/http/cut') {
        response.writeHead(200, { 'content-length': 10 }).write('ok');
        setImmediate(() => response.destroy());
      } else response.writeHead(url === '/http/bad' ? 500 : 200).end('ok');
    });
    rig = await WebRig.start({
      workers: { l7: 2, l4: 1 },
      listeners: {
        web: {
          limits: [{ name: 'each', key: 'address', requests: '100000/s' }],
          routes: [
            {
              name: 'scarce',
              match: { path: '/http/scarce' },
              cluster: 'http',
              limits: [{ key: 'address', requests: { rate: '1/m', burst: 1 } }],
            },
            {
              name: 'closed',
              match: { path: '/http/closed' },
              cluster: 'http',
              access: { deny: ['0.0.0.0/0'] },
            },
            { name: 'http', match: { pathPrefix: '/http' }, cluster: 'http' },
            { name: 'lost', match: { path: '/lost' }, cluster: 'lost' },
            { name: 'chat', match: {}, cluster: 'sockets' },
          ],
        },
        secure: { tls: { certificates: [authority.issue('web.example', ['DNS:web.example'])] } },
        tunnel: { mode: 'l4', cluster: 'sockets' },
        closed: { mode: 'l4', cluster: 'lost' },
      },
      clusters: {
        sockets: { endpoints: [sockets.address] },
        http: { endpoints: [http.address] },
        // Nobody listens there.
        lost: { endpoints: ['127.0.0.1:1'] },
      },
    });
    prometheus = await PrometheusServer.start(rig.sluice.admin);
    traffic = keepBusy();
  });
  after(async () => {
    isOver = true;
    await traffic;
    await prometheus.stop();
    sockets.close();
    http.close();
    await rig.stop();
    authority.remove();
  });

  /** Sends a little of everything again and again: rates need counters that grow between scrapes. */
  async function keepBusy(): Promise<void> {
    while (!isOver) {
      for (const listener of ['web', 'tunnel']) {
        const { client, endpoint } = await rig.join(sockets, { listener });
        client.socket.send('hello');
        client.socket.close(1000);
        await endpoint.closed();
      }
      const url = `http://${rig.address('web')}`;
      const paths = ['/http', '/http/bad', '/http/scarce', '/http/closed', '/lost'];
      for (const path of paths) await ask(`${url}${path}`);
      await assert.rejects(ask(`${url}/http/cut`));
      assert.equal((await ask(`${url}/http`, { headers: { host: 'not a host' } })).status, 400);
      (await rig.ask({ path: '/lost' })).destroy();
      await ask(`http://${rig.address('closed')}`).catch(() => undefined);
      await delay(200);
    }
  }

  it('answers every query of the dashboard, and its panels have something to show', async () => {
    const panels = panelsOf(readDashboard().dashboard).filter(({ targets }) => targets !== undefined);
    const scraped = async (): Promise<void> => {
      const busy = await prometheus.query('rate(sluice_tunnels_total[1m]) > 0');
      assert.ok(busy.length > 0);
    };
    await eventually(scraped);
    for (const { title, targets = [] } of panels) {
      await eventually(async () => {
        let series = 0;
        for (const { expr } of targets) series += (await prometheus.query(filled(expr, '1m'))).length;
        assert.ok(series > 0 || MAY_BE_EMPTY.includes(title), `${title} is empty`);
      });
    }
  });

  it('evaluates every rule, and warns of the cluster whose only endpoint is lost', async () => {
    await eventually(async () => {
      const rules = await prometheus.rules();
      assert.ok(rules.length > 50);
      for (const { name, health, lastError } of rules) assert.equal(health, 'ok', `${name}: ${lastError}`);
    });
    const [slow, failing] = await eventually(async () => {
      const results = await Promise.all([
        prometheus.query('sluice:endpoint_answer_seconds:mean5m > 0'),
        prometheus.query('ALERTS{alertname="SluiceEndpointFailures",cluster="lost"}'),
      ]);
      for (const result of results) assert.ok(result.length > 0);
      return results;
    });
    assert.ok(slow.every(({ value }) => Number(value[1]) < 10));
    assert.equal(failing[0]!.metric.endpoint, '127.0.0.1:1');
  });
});

describe('Prometheus with its storage of exemplars', () => {
  const labels = { listener: 'web', cluster: 'app' };
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  let server: Server;
  let prometheus: PrometheusServer;

  before(async () => {
    const layout = new PageLayout();
    layout.add(pageMetrics.handshakeDuration, labels);
    const buffer = allocatePage(layout);
    new StatsPage(buffer, layout).histogram(pageMetrics.handshakeDuration, labels).observe(0.3);
    const exemplarStore = new ExemplarStore();
    exemplarStore.record(pageMetrics.handshakeDuration, labels, 0.3, traceId, Date.now());
    const exposition = new Exposition(pageFamilies(new PageSums(layout, [buffer]), exemplarStore));
    server = createServer((request, response) => {
      const format = preferredFormat(request.headers.accept ?? '');
      void exposition.begin(format, { endpoints: true }).then(({ type, pieces }) => {
        response.writeHead(200, { 'content-type': type }).end([...pieces].join(''));
      });
    });
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    prometheus = await PrometheusServer.start(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  after(async () => {
    await prometheus.stop();
    server.close();
    server.closeAllConnections();
  });

  it('leads from a bucket to a trace', async () => {
    const [found] = await eventually(async () => {
      const series = await prometheus.exemplars('sluice_ws_handshake_duration_seconds_bucket');
      assert.equal(series.length, 1);
      return series;
    });
    assert.deepEqual([found!.seriesLabels.le, found!.seriesLabels.cluster], ['0.5', 'app']);
    const [exemplar] = found!.exemplars;
    assert.deepEqual([exemplar!.labels, Number(exemplar!.value)], [{ trace_id: traceId }, 0.3]);
    assert.ok(Math.abs(exemplar!.timestamp - Date.now() / 1000) < 60);
  });
});
