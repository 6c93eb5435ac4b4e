/** What HAProxy and nginx read from the PROXY headers that they get as endpoints. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { HAProxy, haproxyVersion } from '../../support/processes/haproxy.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';

const VERSIONS = ['v1', 'v2'] as const;
/** Where clients connect to. */
const HOSTS = { IPv4: '127.0.0.1', IPv6: '::1' } as const;
/** By family, and one for both. */
const LISTENERS = { IPv4: '127.0.0.1:0', IPv6: '[::1]:0', both: ':0' } as const;
/** An endpoint of one of the peers whose answers say what it was told: `SOURCE:PORT DESTINATION:PORT`. */
const PEERS = {
  haproxy: () =>
    HAProxy.start(
      (listen) => `
frontend told
  bind ${listen} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"`,
    ),
  nginx: () =>
    Nginx.start(
      (listen) => `
server {
  listen ${listen} proxy_protocol;
  location / {
    return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port";
  }
}`,
    ),
} as const;
const MISSING = {
  haproxy: haproxyVersion() === null ? 'needs HAProxy' : false,
  nginx: nginxVersion() === null ? 'needs nginx' : false,
} as const;

for (const peer of ['haproxy', 'nginx'] as const) {
  describe(`${peer} with PROXY headers`, { skip: MISSING[peer], timeout: 300_000 }, () => {
    let endpoint: HAProxy | Nginx;
    let rig: WebRig;

    before(async () => {
      endpoint = await PEERS[peer]();
      const listeners = Object.entries(LISTENERS).flatMap(([family, address]) => {
        const routes = VERSIONS.map((version) => ({
          match: { pathPrefix: `/${version}` },
          cluster: version,
        }));
        const web = ENGINES.map((engine) => [`${engine}-${family}`, { address, engine, routes }]);
        const tunnels = ENGINES.filter((engine) => engine !== 'uws').flatMap((engine) =>
          VERSIONS.map((cluster) => [
            `${engine}-tunnel-${cluster}-${family}`,
            { mode: 'l4', address, engine, cluster },
          ]),
        );
        return [...web, ...tunnels];
      });
      const healthCheck = { type: 'http', path: '/', interval: '500ms', fall: 1 };
      rig = await WebRig.start({
        listeners: Object.fromEntries(listeners) as Record<string, object>,
        clusters: Object.fromEntries(
          VERSIONS.map((version) => [
            version,
            { endpoints: [endpoint.address], proxyProtocol: version, healthCheck },
          ]),
        ),
      });
    });
    after(async () => {
      await rig.stop();
      await endpoint.stop();
    });

    /** A request on a fresh connection. Returns what the endpoint was told, and what the client's own socket says. */
    function ask(listener: string, path: string): Promise<{ told: string; client: string; port: number }> {
      const { port } = new URL(`http://${rig.address(listener)}`);
      const host = listener.endsWith('IPv6') ? HOSTS.IPv6 : HOSTS.IPv4;
      const asked = new Promise<{ told: string; client: string; port: number }>((settle, fail) => {
        const asking = request({ host, port, path, agent: false }, (response) => {
          const { localAddress = '', localPort = 0 } = response.socket;
          let told = '';
          response.setEncoding('utf8').on('data', (text: string) => (told += text));
          response.once('end', () => {
            assert.equal(response.statusCode, 200, told);
            settle({ told, client: `${localAddress}:${localPort}`, port: Number(port) });
          });
        });
        asking.once('error', fail);
        asking.end();
      });
      return within(`an answer of ${listener}`, asked);
    }

    for (const [family, host] of Object.entries(HOSTS)) {
      for (const version of VERSIONS) {
        for (const engine of ENGINES) {
          it(`learns the address of a client of ${engine} by ${version} and ${family}`, async () => {
            const { told, client, port } = await ask(`${engine}-${family}`, `/${version}/`);
            // uWebSockets.js does not tell the port. HAProxy writes nothing for port 0.
            const source = engine === 'uws' ? `${host}:0` : client;
            assert.equal(told.replace(': ', ':0 '), `${source} ${host}:${port}`);
          });
          if (engine === 'uws') continue;
          it(`learns the client address of a tunnel of ${engine} by ${version} and ${family}`, async () => {
            const { told, client, port } = await ask(`${engine}-tunnel-${version}-${family}`, '/');
            assert.equal(told, `${client} ${host}:${port}`);
          });
        }
      }
    }

    for (const engine of ENGINES) {
      it(`learns the address of an IPv4 client of ${engine} on all interfaces`, async () => {
        const { told, client, port } = await ask(`${engine}-both`, '/v2/');
        const expected = engine === 'uws' ? `127.0.0.1:0 0.0.0.0:${port}` : `${client} ${HOSTS.IPv4}:${port}`;
        assert.equal(told.replace(': ', ':0 '), expected);
      });
    }

    it('answers the probes', async () => {
      await eventually(async () => {
        const metrics = await rig.scrape();
        for (const cluster of VERSIONS) {
          assert.ok(metrics.sum('sluice_endpoint_probes_total', { cluster }) > 1);
          assert.equal(metrics.sum('sluice_endpoint_probe_failures_total', { cluster }), 0);
        }
      });
    });
  });
}
