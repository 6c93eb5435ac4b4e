import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENGINES } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import {
  RawConnection,
  upgradeRequest,
  valuesOf,
  type RawHead,
} from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';

const DENIED = { deny: ['127.0.0.1'] };
const ORIGINS = { origins: ['https://app.example'] };
/** For a rate that a test uses up with one request. */
const ONCE = { rate: '1/m', burst: 1 };

for (const engine of ENGINES) {
  describe(`access rules on the engine ${engine}`, () => {
    let endpoint: RawEndpoint;
    let rig: WebRig;

    before(async () => {
      endpoint = await RawEndpoint.listen();
      const routes = [
        { name: 'denied', match: { pathPrefix: '/denied' }, access: DENIED, respond: { status: 200 } },
        {
          name: 'redirected',
          match: { pathPrefix: '/redirected' },
          access: DENIED,
          redirect: { to: 'https://app.example/' },
        },
        {
          name: 'allowed',
          match: { pathPrefix: '/allowed' },
          access: { allow: ['127.0.0.0/8'] },
          cluster: 'raw',
        },
        { name: 'origins', match: { pathPrefix: '/origins' }, access: ORIGINS, cluster: 'raw' },
        {
          name: 'strict',
          match: { pathPrefix: '/strict' },
          access: { ...ORIGINS, originRequired: true },
          cluster: 'raw',
        },
        {
          name: 'limited',
          match: { pathPrefix: '/limited' },
          limits: [{ name: 'few', key: 'address', requests: ONCE }],
          respond: { status: 200 },
        },
        {
          name: 'upgrades',
          match: { pathPrefix: '/upgrades' },
          limits: [{ name: 'rare', key: 'address', handshakes: ONCE }],
          cluster: 'raw',
        },
        {
          name: 'busy',
          match: { pathPrefix: '/busy' },
          limits: [{ name: 'one', key: { header: 'x-tenant' }, connections: 1 }],
          cluster: 'raw',
        },
        {
          name: 'identified',
          match: { pathPrefix: '/identified' },
          access: { forwardAuth: { url: 'http://127.0.0.1:1/', headers: ['x-user'] } },
          cluster: 'raw',
        },
        { name: 'open', match: { pathPrefix: '/open' }, access: 'off', cluster: 'raw' },
        { name: 'rest', match: { pathPrefix: '/rest' }, cluster: 'raw' },
      ];
      rig = await WebRig.start({
        listeners: {
          web: { engine, routes },
          closed: { engine, access: DENIED, routes: [routes.at(-2), routes.at(-1)] },
        },
        clusters: { raw: { endpoints: [endpoint.address] } },
      });
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    const get = (path: string, ...lines: string[]): string =>
      [`GET ${path} HTTP/1.1`, 'Host: app.example', 'Connection: close', ...lines, '', ''].join('\r\n');

    async function ask(request: string, listener = 'web'): Promise<RawHead> {
      const client = await RawConnection.connect(rig.address(listener));
      client.write(request);
      const head = await client.head();
      client.destroy();
      return head;
    }

    /** The head that the endpoint gets. It answers 204. */
    async function upstream(request: string, listener = 'web'): Promise<RawHead> {
      endpoint.clear();
      const answer = ask(request, listener);
      const { connection, head } = await endpoint.request();
      connection.write('HTTP/1.1 204 No Content\r\n\r\n');
      await answer;
      return head;
    }

    const statusOf = ({ startLine }: RawHead): string => startLine.split(' ')[1]!;

    it('refuses a denied address on routes of every kind', async () => {
      for (const path of ['/denied', '/redirected']) assert.equal(statusOf(await ask(get(path))), '403');
      assert.equal(statusOf(await ask(upgradeRequest('app.example', [], '/denied'))), '403');
    });

    it('admits an allowed address', async () => {
      assert.match((await upstream(get('/allowed'))).startLine, /^GET \/allowed /);
    });

    it('holds the settings of the listener for its routes, unless a route says off', async () => {
      assert.equal(statusOf(await ask(get('/rest'), 'closed')), '403');
      assert.match((await upstream(get('/open'), 'closed')).startLine, /^GET \/open /);
    });

    it('refuses a denied address before it says that there is no route', async () => {
      assert.equal(statusOf(await ask(get('/nothing'), 'closed')), '403');
      assert.equal(statusOf(await ask(get('/nothing'))), '404');
    });

    it('refuses upgrades of another origin, and no plain request', async () => {
      const other = ['Origin: https://evil.example'];
      assert.equal(statusOf(await ask(upgradeRequest('app.example', other, '/origins'))), '403');
      assert.match((await upstream(get('/origins', ...other))).startLine, /^GET /);
      const own = ['Origin: https://app.example'];
      assert.match((await upstream(upgradeRequest('app.example', own, '/origins'))).startLine, /^GET /);
    });

    it('admits an upgrade without an origin unless one is required', async () => {
      assert.match((await upstream(upgradeRequest('app.example', [], '/origins'))).startLine, /^GET /);
      assert.equal(statusOf(await ask(upgradeRequest('app.example', [], '/strict'))), '403');
    });

    it('answers 429 with Retry-After', async () => {
      assert.equal(statusOf(await ask(get('/limited'))), '200');
      const head = await ask(get('/limited'));
      assert.equal(statusOf(head), '429');
      const [seconds] = valuesOf(head, 'retry-after');
      assert.ok(Number(seconds) > 50 && Number(seconds) <= 60, seconds);
      assert.match(valuesOf(head, 'ratelimit')[0] ?? '', /^"few";r=0;t=\d+$/);
      assert.match(valuesOf(head, 'ratelimit-policy')[0] ?? '', /^"few";q=1;w=60$/);
    });

    it('counts upgrades apart from plain requests', async () => {
      assert.match((await upstream(upgradeRequest('app.example', [], '/upgrades'))).startLine, /^GET /);
      assert.match((await upstream(get('/upgrades'))).startLine, /^GET /);
      assert.equal(statusOf(await ask(upgradeRequest('app.example', [], '/upgrades'))), '429');
    });

    it('counts concurrent requests by the value of a header', async () => {
      endpoint.clear();
      const first = await RawConnection.connect(rig.address('web'));
      first.write(get('/busy', 'X-Tenant: a'));
      const { connection } = await endpoint.request();
      assert.equal(statusOf(await ask(get('/busy', 'X-Tenant: a'))), '429');
      assert.match((await upstream(get('/busy', 'X-Tenant: b'))).startLine, /^GET /);
      connection.write('HTTP/1.1 204 No Content\r\n\r\n');
      await first.head();
      first.destroy();
      assert.match((await upstream(get('/busy', 'X-Tenant: a'))).startLine, /^GET /);
    });

    it('releases the place when the client leaves', async () => {
      endpoint.clear();
      const first = await RawConnection.connect(rig.address('web'));
      first.write(upgradeRequest('app.example', ['X-Tenant: c'], '/busy'));
      const { connection } = await endpoint.request();
      assert.equal(statusOf(await ask(upgradeRequest('app.example', ['X-Tenant: c'], '/busy'))), '429');
      first.destroy();
      await connection.closed;
      assert.match((await upstream(get('/busy', 'X-Tenant: c'))).startLine, /^GET /);
    });

    it('accepts no identity from the client itself, on any route', async () => {
      const head = await upstream(get('/rest', 'X-User: root', 'X_User: root', 'X-Other: kept'));
      assert.deepEqual(valuesOf(head, 'x-user'), []);
      assert.deepEqual(valuesOf(head, 'x_user'), []);
      assert.deepEqual(valuesOf(head, 'x-other'), ['kept']);
    });

    it('counts refusals by their reason', async () => {
      const metrics = await rig.scrape();
      const counted = (name: string, labels: Record<string, string>): number => metrics.sum(name, labels);
      assert.ok(counted('sluice_access_refusals_total', { listener: 'web', reason: 'address' }) >= 3);
      assert.ok(counted('sluice_access_refusals_total', { listener: 'web', reason: 'origin' }) >= 2);
      assert.ok(counted('sluice_limit_refusals_total', { limit: 'few', kind: 'requests' }) >= 1);
      assert.ok(counted('sluice_limit_refusals_total', { limit: 'one', kind: 'connections' }) >= 2);
      assert.ok(counted('sluice_ws_handshake_failures_total', { listener: 'web', reason: 'access' }) >= 3);
      assert.ok(counted('sluice_http_requests_refused_total', { listener: 'web', reason: 'limit' }) >= 1);
    });
  });
}
