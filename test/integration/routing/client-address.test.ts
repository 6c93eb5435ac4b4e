import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { HttpEndpoint } from '../../support/http/http-endpoint.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const STRANGER = '127.0.0.9';
const CLIENT = '203.0.113.7';

interface Seen {
  readonly endpoint: number;
  readonly headers: IncomingHttpHeaders;
}

describe('the client behind trusted proxies', () => {
  let endpoints: HttpEndpoint[];
  let rig: WebRig;

  before(async () => {
    endpoints = await Promise.all(
      [0, 1, 2, 3].map((endpoint) =>
        HttpEndpoint.listen(({ headers }, response) => response.end(JSON.stringify({ endpoint, headers }))),
      ),
    );
    const routes = [
      { match: { path: '/text' }, respond: { status: 200, body: 'text' } },
      { match: { pathPrefix: '/api' }, cluster: 'hashed', rewrite: { stripPrefix: '/api' } },
      { match: {}, cluster: 'hashed' },
    ];
    const trustedProxies = ['127.0.0.1'];
    rig = await WebRig.start({
      listeners: { web: { routes, trustedProxies }, dual: { address: ':0', routes, trustedProxies } },
      clusters: {
        hashed: {
          endpoints: endpoints.map(({ address }) => address),
          balancer: 'source_ip',
        },
      },
    });
  });
  after(async () => {
    for (const endpoint of endpoints) endpoint.close();
    await rig.stop();
  });

  async function ask(
    headers: Record<string, string | string[]>,
    { address = rig.address('web'), path = '/', from = '127.0.0.1' } = {},
  ): Promise<Seen> {
    const request = httpRequest(`http://${address}${path}`, { headers, localAddress: from, agent: false });
    request.end();
    const [response] = (await within('the response', once(request, 'response'))) as [IncomingMessage];
    return (await json(response)) as Seen;
  }

  it('is the same for the balancer in every spelling', async () => {
    const homes = new Set<number>();
    for (let last = 1; last <= 8; last++) {
      const client = `203.0.113.${last}`;
      const home = await ask({ 'X-Forwarded-For': client });
      homes.add(home.endpoint);
      for (const headers of [
        { 'X-Forwarded-For': `${client}:51008` },
        { 'X-Forwarded-For': `::ffff:${client}` },
        { 'X-Forwarded-For': [`10.9.9.9`, `"${client}", 127.0.0.1:80`] },
        { Forwarded: `for="${client}:4711";proto=https, for="[::ffff:127.0.0.1]"` },
        { 'X-Real-IP': client },
      ]) {
        const seen = await ask(headers);
        assert.equal(seen.headers['x-real-ip'], client, JSON.stringify(headers));
        assert.equal(seen.endpoint, home.endpoint, JSON.stringify(headers));
      }
    }
    assert.ok(homes.size > 1);
  });

  it('is the same in the log', async () => {
    await ask({ Forwarded: 'for="[2001:DB8::99]:4711"', 'X-Request-Id': 'by-forwarded' });
    const line = await rig.sluice.waitForLog(({ requestId }) => requestId === 'by-forwarded');
    assert.equal(line.client, '2001:db8::99');
  });

  it('is found on a socket that takes IPv4 and IPv6', async () => {
    const address = `127.0.0.1:${rig.address('dual').split(':').at(-1)!}`;
    const { headers } = await ask({ 'X-Forwarded-For': CLIENT }, { address });
    assert.equal(headers['x-real-ip'], CLIENT);
    assert.equal(headers['x-forwarded-for'], `${CLIENT}, 127.0.0.1`);
    const stranger = await ask({ 'X-Forwarded-For': CLIENT }, { address, from: STRANGER });
    assert.equal(stranger.headers['x-real-ip'], STRANGER);
  });

  it('has the port and scheme from the proxy, and the prefix that the route strips', async () => {
    const { headers } = await ask(
      { Host: 'app.example', 'X-Forwarded-For': CLIENT, 'X-Forwarded-Proto': 'https' },
      { path: '/api/x' },
    );
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-forwarded-port'], '443');
    assert.equal(headers['x-forwarded-prefix'], '/api');
    const twice = await ask({ 'X-Forwarded-Prefix': '/app' }, { path: '/api' });
    assert.equal(twice.headers['x-forwarded-prefix'], '/app/api');
    const other = await ask({ 'X-Forwarded-Prefix': '/app' }, { path: '/apiary', from: STRANGER });
    assert.equal(other.headers['x-forwarded-prefix'], undefined);
  });

  describe('such as nginx', { skip: nginxVersion() === null ? 'nginx is not installed' : false }, () => {
    let nginx: Nginx;
    before(async () => {
      nginx = await Nginx.start((listen) => {
        const block = (path: string, ...headers: string[]): string =>
          `location ${path} { proxy_pass http://${rig.address('web')}/; ${headers
            .map((header) => `proxy_set_header ${header};`)
            .join(' ')} }`;
        return `server { listen ${listen}; proxy_http_version 1.1;
          ${block('/appended/', 'X-Forwarded-For $proxy_add_x_forwarded_for', 'X-Forwarded-Proto https')}
          ${block('/real/', 'X-Real-IP $remote_addr')}
          ${block('/forwarded/', 'Forwarded "$http_forwarded, for=\\"$remote_addr:$remote_port\\";proto=https"')}
        }`;
      });
    });
    after(() => nginx.stop());

    const through = (path: string, headers: Record<string, string>): Promise<Seen> =>
      ask(headers, { address: nginx.address, path, from: STRANGER });

    it('is the address that the proxy in front saw, whatever the client claims', async () => {
      const forged = ['"', '1.2.3.4, 127.0.0.1', 'for="', 'for="x\\'];
      for (const claim of forged) {
        const appended = await through('/appended/', { 'X-Forwarded-For': claim });
        assert.equal(appended.headers['x-real-ip'], STRANGER, claim);
        assert.equal(appended.headers['x-forwarded-for'], `${claim}, ${STRANGER}, 127.0.0.1`);
        assert.equal(appended.headers['x-forwarded-port'], '443');
        const told = await through('/forwarded/', { Forwarded: claim });
        assert.equal(told.headers['x-real-ip'], STRANGER, claim);
        assert.equal(told.headers['x-forwarded-proto'], 'https');
        const real = await through('/real/', { 'X-Real-IP': claim });
        assert.equal(real.headers['x-real-ip'], STRANGER, claim);
      }
    });
  });
});
