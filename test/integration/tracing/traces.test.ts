import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { HttpEndpoint, ask } from '../../support/http/http-endpoint.ts';
import { scrape } from '../../support/http/metrics.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { OtlpReceiver } from '../../support/tracing/otlp-receiver.ts';
import { WsPeer, WsEndpoint } from '../../support/websocket/ws-peer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TOKEN = 'a-token-of-the-test';

/** A proxy that trusts 127.0.0.1, and whose spans go to a receiver. */
function configOf(
  receiver: OtlpReceiver,
  engine: EngineName,
  endpoints: Readonly<Record<string, string>>,
  tracing = {},
): object {
  const listener = (name: string, trustedProxies: readonly string[]): object => ({
    name,
    mode: 'l7',
    engine,
    address: '127.0.0.1:0',
    trustedProxies,
    routes: [
      { name: 'ws', match: { pathPrefix: '/ws' }, cluster: 'ws' },
      { name: 'dead', match: { pathPrefix: '/dead' }, cluster: 'dead' },
      { name: 'own', match: { path: '/own' }, respond: { status: 200, body: 'x' } },
      { name: 'http', match: {}, cluster: 'http' },
    ],
  });
  return {
    workers: { l7: 1, l4: 1 },
    admin: { address: '127.0.0.1:0', token: TOKEN },
    tracing: { url: receiver.url, sample: 0, headers: { 'x-key': 'secret' }, ...tracing },
    listeners: [listener('trusting', ['127.0.0.1']), listener('strange', [])],
    clusters: Object.entries({ ...endpoints, dead: '127.0.0.1:1' }).map(([name, address]) => ({
      name,
      retries: 1,
      endpoints: [{ address }],
    })),
  };
}

for (const engine of ENGINES) {
  describe(`traces of ${engine}`, () => {
    let receiver: OtlpReceiver;
    let http: HttpEndpoint;
    let ws: WsEndpoint;
    let sluice: SluiceProcess;
    let endpoints: Readonly<Record<string, string>>;

    before(async () => {
      receiver = await OtlpReceiver.listen();
      http = await HttpEndpoint.listen((request, response) => {
        if (request.url === '/fails') response.statusCode = 503;
        response.end(JSON.stringify(request.headers));
      });
      ws = await WsEndpoint.listen();
      endpoints = { http: http.address, ws: ws.address };
      sluice = await startSluice({ config: configOf(receiver, engine, endpoints) });
    });
    after(async () => {
      await sluice.stop();
      receiver.close();
      http.close();
      ws.close();
    });

    async function headersAtEndpoint(
      listener: string,
      headers: Readonly<Record<string, string>>,
    ): Promise<IncomingHttpHeaders> {
      const { body } = await ask(`http://${sluice.address(listener)}/headers`, { headers });
      return JSON.parse(body.toString()) as IncomingHttpHeaders;
    }

    it('continue that of a trusted client, and lead on to the endpoint', async () => {
      const seen = await headersAtEndpoint('trusting', {
        traceparent: `00-${TRACE}-${PARENT}-01`,
        tracestate: 'vendor=1',
      });
      const span = await receiver.span(({ traceId }) => traceId === TRACE);
      assert.equal(seen.traceparent, `00-${TRACE}-${span.spanId}-01`);
      assert.equal(seen.tracestate, 'vendor=1');
      assert.equal(span.parentSpanId, PARENT);
      assert.equal(span.traceState, 'vendor=1');
      assert.equal(span.name, 'GET http');
      assert.equal(span.status, 0);
      assert.equal(span.resource['service.name'], 'sluice');
      const { attributes } = span;
      assert.equal(attributes['http.request.method'], 'GET');
      assert.equal(attributes['http.response.status_code'], 200);
      assert.equal(attributes['url.path'], '/headers');
      assert.equal(attributes['sluice.endpoint'], http.address);
      assert.equal(attributes['network.peer.address'], '127.0.0.1');
      assert.equal(receiver.requests[0]?.headers['x-key'], 'secret');
    });

    it('replace the ids of untrusted clients, and ignore their sampling flag', async () => {
      const before = receiver.spans.length;
      const seen = await headersAtEndpoint('strange', {
        traceparent: `00-${TRACE}-${PARENT}-01`,
        tracestate: 'vendor=1',
      });
      assert.match(String(seen.traceparent), /^00-[\da-f]{32}-[\da-f]{16}-00$/);
      assert.ok(!String(seen.traceparent).includes(TRACE));
      assert.equal(seen.tracestate, undefined);
      const line = await sluice.waitForLog(
        ({ msg, listener }) => msg === 'request' && listener === 'strange',
      );
      assert.equal(line.traceId, String(seen.traceparent).slice(3, 35));
      assert.equal(receiver.spans.length, before);
    });

    it('have all failures, though they are not sampled', async () => {
      await ask(`http://${sluice.address('strange')}/fails`);
      const failed = await receiver.span(({ attributes }) => attributes['url.path'] === '/fails');
      assert.equal(failed.status, 2);
      assert.equal(failed.attributes['error.type'], '503');
      assert.equal(failed.attributes['sluice.sampled_by'], 'failure');
      await ask(`http://${sluice.address('strange')}/dead/x`);
      const dead = await receiver.span(({ attributes }) => attributes['url.path'] === '/dead/x');
      assert.equal(dead.attributes['sluice.route'], 'dead');
      assert.equal(dead.status, 2);
      await assert.rejects(WsPeer.connect(`ws://${sluice.address('strange')}/dead/ws`));
      const refused = await receiver.span(({ attributes }) => attributes['url.path'] === '/dead/ws');
      assert.equal(refused.attributes['http.response.status_code'], 502);
      assert.equal(refused.attributes['sluice.attempts'], 1);
    });

    it('have a span for each session, from the request to the close', async () => {
      const headers = { traceparent: `00-${TRACE.replace('0', '1')}-${PARENT}-01` };
      const url = `ws://${sluice.address('trusting')}/ws`;
      const [client, session] = await Promise.all([WsPeer.connect(url, { headers }), ws.session()]);
      client.socket.send('hello');
      await session.messages.next();
      session.socket.send('hello back');
      await client.messages.next();
      client.socket.close(1000, 'done');
      const span = await receiver.span(({ attributes }) => attributes['url.path'] === '/ws');
      assert.equal(session.headers.traceparent, `00-${span.traceId}-${span.spanId}-01`);
      assert.equal(span.attributes['http.response.status_code'], 101);
      assert.equal(span.attributes['sluice.websocket.close.code'], 1000);
      assert.equal(span.attributes['sluice.websocket.close.side'], 'client');
      assert.equal(span.attributes['sluice.websocket.messages.upstream'], 1);
      assert.equal(span.attributes['sluice.websocket.bytes.downstream'], 10);
      assert.equal(span.status, 0);
    });

    it('change with a reload, down to none', async () => {
      const other = await OtlpReceiver.listen();
      await reload(configOf(other, engine, endpoints, { routes: { own: 1 } }));
      await ask(`http://${sluice.address('strange')}/own`);
      const span = await other.span(({ name }) => name === 'GET own');
      assert.equal(span.attributes['sluice.route'], 'own');
      const config = configOf(other, engine, endpoints) as Record<string, unknown>;
      delete config.tracing;
      await reload(config);
      const seen = await headersAtEndpoint('strange', { traceparent: 'anything', tracestate: 'x' });
      assert.deepEqual([seen.traceparent, seen.tracestate], ['anything', 'x']);
      await reload(configOf(receiver, engine, endpoints));
      other.close();
    });

    it('are found from the buckets of histograms', async () => {
      const headers = { accept: 'application/openmetrics-text; version=1.0.0' };
      await eventually(async () => {
        const { body } = await ask(`http://${sluice.admin}/metrics`, { headers });
        const text = body.toString();
        assert.ok(text.includes(`# {trace_id="${TRACE}"}`));
        assert.match(
          text,
          /sluice_ws_session_duration_seconds_bucket\{[^}]*\} \d+ # \{trace_id="[\da-f]{32}"\}/,
        );
      });
    });

    it('are counted, and none is lost', async () => {
      const metrics = await eventually(async () => {
        const found = await scrape(sluice);
        assert.ok(found.sum('sluice_trace_spans_exported_total') >= receiver.spans.length);
        return found;
      });
      assert.equal(metrics.sum('sluice_trace_spans_dropped_total'), 0);
      assert.deepEqual(receiver.faults, []);
    });

    async function reload(config: object): Promise<void> {
      sluice.writeConfig(config);
      const from = sluice.logs.length;
      sluice.kill('SIGHUP');
      await sluice.waitForLog(({ msg }) => msg.startsWith('configuration reloaded'), undefined, from);
    }
  });
}

describe('a trusted client that is curl', () => {
  it('gets its trace continued', async () => {
    const receiver = await OtlpReceiver.listen();
    const sluice = await startSluice({
      config: configOf(receiver, 'net', { http: '127.0.0.1:1', ws: '127.0.0.1:1' }),
    });
    const args = [
      '-H',
      `traceparent: 00-${TRACE}-${PARENT}-01`,
      '-H',
      'tracestate: a=1',
      '-H',
      'tracestate: b=2',
    ];
    const answer = await askByCurl(sluice.address('trusting'), '/own', args);
    assert.equal(answer.status, 200);
    const span = await receiver.span(({ traceId }) => traceId === TRACE);
    assert.equal(span.traceState, 'a=1,b=2');
    await sluice.stop();
    receiver.close();
  });
});

describe(
  'a trusted client that is nginx',
  { skip: nginxVersion() === null ? 'nginx is not installed' : false },
  () => {
    it('forwards the trace context of its client, for requests and WebSockets', async () => {
      const [receiver, ws] = await Promise.all([OtlpReceiver.listen(), WsEndpoint.listen()]);
      const sluice = await startSluice({
        config: configOf(receiver, 'net', { http: '127.0.0.1:1', ws: ws.address }),
      });
      const nginx = await Nginx.start(
        (listen) => `server { listen ${listen}; location / {
        proxy_pass http://${sluice.address('trusting')}; proxy_http_version 1.1;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;
      } }`,
      );
      const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=1' };
      await ask(`http://${nginx.address}/own`, { headers });
      const span = await receiver.span(({ attributes }) => attributes['url.path'] === '/own');
      assert.deepEqual([span.traceId, span.parentSpanId, span.traceState], [TRACE, PARENT, 'a=1']);
      const client = await WsPeer.connect(`ws://${nginx.address}/ws`, { headers });
      client.socket.close(1000);
      const session = await receiver.span(({ attributes }) => attributes['url.path'] === '/ws');
      assert.equal(session.traceId, TRACE);
      assert.equal((await ws.session()).headers.traceparent, `00-${TRACE}-${session.spanId}-01`);
      await nginx.stop();
      await sluice.stop();
      receiver.close();
      ws.close();
    });
  },
);

describe('the end of the process', () => {
  it('exports the spans of sessions that it ends, with the drain as an event', async () => {
    const [receiver, ws] = await Promise.all([OtlpReceiver.listen(), WsEndpoint.listen()]);
    const config = configOf(receiver, 'net', { http: '127.0.0.1:1', ws: ws.address }, { sample: 1 });
    const sluice = await startSluice({ config });
    const client = await WsPeer.connect(`ws://${sluice.address('strange')}/ws/last`);
    const exit = sluice.stop();
    assert.equal((await client.closed()).code, 1012);
    assert.deepEqual(await exit, { code: 0, signal: null });
    const span = await receiver.span(({ attributes }) => attributes['url.path'] === '/ws/last');
    const names = span.events.map(({ name }) => name);
    assert.deepEqual(names, ['sluice.websocket.opened', 'sluice.websocket.draining']);
    assert.equal(span.attributes['sluice.websocket.close.side'], 'proxy');
    receiver.close();
    ws.close();
  });

  it('does not wait long for a collector that is dead', async () => {
    const receiver = await OtlpReceiver.listen();
    const config = configOf(receiver, 'net', { http: '127.0.0.1:1', ws: '127.0.0.1:1' }, { sample: 1 });
    const sluice = await startSluice({ config });
    receiver.close();
    await ask(`http://${sluice.address('strange')}/own`);
    const begun = performance.now();
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - begun < 20_000);
  });
});
