/** The facts that endpoints receive about clients that connect through another proxy, or by TLS. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { HAProxy, haproxyVersion } from '../../support/processes/haproxy.ts';
import { Nginx, hasNginxStream } from '../../support/processes/nginx.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { ProxiedEndpoint, type ToldConnection } from '../../support/sockets/proxied-endpoint.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';

const GET = 'GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n';

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`PROXY headers on both sides of ${engine}`, { timeout: 300_000 }, () => {
    const authority = new CertificateAuthority();
    let plain: ProxiedEndpoint;
    let secure: ProxiedEndpoint;
    let rig: WebRig;

    before(async () => {
      const certificate = authority.issue('app.example', ['DNS:app.example']);
      plain = await ProxiedEndpoint.listen();
      secure = await ProxiedEndpoint.listen({
        cert: readFileSync(certificate.cert),
        key: readFileSync(certificate.key),
      });
      const behind = { engine, trustedProxies: ['127.0.0.1/32'], proxyProtocol: 'required' };
      const passthrough = [{ serverName: ['*.example'], cluster: 'secure' }];
      rig = await WebRig.start({
        listeners: {
          web: behind,
          tcp: { mode: 'l4', cluster: 'plain', ...behind },
          tls: { engine, tls: { certificates: [certificate] } },
          names: { mode: 'l4', cluster: 'plain', engine, passthrough },
          // Not every engine has TLS towards endpoints.
          encrypted: { mode: 'l4', cluster: 'encrypted' },
          'names-behind': { mode: 'l4', cluster: 'plain', passthrough, ...behind },
        },
        clusters: {
          plain: { endpoints: [plain.address], proxyProtocol: 'v2' },
          secure: { endpoints: [secure.address], proxyProtocol: 'v2' },
          encrypted: {
            endpoints: [secure.address],
            proxyProtocol: 'v1',
            tls: { serverName: 'app.example', ca: authority.file },
          },
        },
      });
    });
    after(async () => {
      plain.close();
      secure.close();
      await rig.stop();
      authority.remove();
    });

    /** Sends a header, and then a request. Returns what the endpoint was told, and the client's own ends. */
    async function ask(
      listener: string,
      header: string,
      address = rig.address(listener),
    ): Promise<{ told: string; own: string }> {
      const client = await RawConnection.connect(address);
      client.write(`${header}${GET}`);
      const { startLine, headers } = await client.head();
      assert.match(startLine, / 200 /);
      const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
      const { told } = JSON.parse((await client.bytes(Number(length))).toString()) as ToldConnection;
      return { told, own: ownEnds(client.socket, address) };
    }

    /** As {@link ask}, by TLS behind the header. */
    async function askByTls(listener: string, header: string): Promise<{ told: string; own: string }> {
      const { socket } = await RawConnection.connect(rig.address(listener));
      socket.removeAllListeners('data');
      socket.write(header);
      const options: ConnectionOptions = { socket, servername: 'app.example', ca: authority.pem };
      const client = connectTls(options);
      const own = ownEnds(socket, rig.address(listener));
      const answered = new Promise<string>((settle, fail) => {
        let text = '';
        client.setEncoding('utf8').on('data', (part: string) => (text += part));
        client.once('end', () => settle(text));
        client.once('error', fail);
      });
      client.write(GET);
      const [, body = ''] = (await within('the answer', answered)).split('\r\n\r\n');
      return { told: (JSON.parse(body) as ToldConnection).told, own };
    }

    for (const listener of ['web', 'tcp']) {
      it(`repeat the facts of a trusted header: ${listener}`, async () => {
        const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n';
        assert.equal((await ask(listener, header)).told, '192.0.2.7:1234 198.51.100.1:443');
      });

      it(`tell the connection’s own ends if the header tells none: ${listener}`, async () => {
        const { told, own } = await ask(listener, 'PROXY UNKNOWN\r\n');
        assert.equal(told, own);
      });
    }

    it('name the client before the TLS of the tunnel', async () => {
      const { told, own } = await ask('encrypted', '');
      assert.equal(told, own);
    });

    it('repeat the facts from HAProxy in front', { skip: haproxyVersion() === null }, async () => {
      for (const option of ['send-proxy', 'send-proxy-v2']) {
        for (const listener of ['web', 'tcp']) {
          const front = await HAProxy.start(
            (listen) => `
listen front
  mode tcp
  bind ${listen}
  server sluice ${rig.address(listener)} ${option}`,
          );
          try {
            const { told, own } = await ask(listener, '', front.address);
            assert.equal(told, own);
          } finally {
            await front.stop();
          }
        }
      }
    });

    it('repeat the facts from nginx in front', { skip: !hasNginxStream() }, async () => {
      for (const listener of ['web', 'tcp']) {
        const front = await Nginx.startStream(
          (listen) => `server { listen ${listen}; proxy_pass ${rig.address(listener)}; proxy_protocol on; }`,
        );
        try {
          const { told, own } = await ask(listener, '', front.address);
          assert.equal(told, own);
        } finally {
          await front.stop();
        }
      }
    });

    it('carry the server name of a client’s TLS', async () => {
      const { told, own } = await askByTls('tls', '');
      assert.equal(told, `${own} app.example`);
    });

    it('carry the server name of a tunnel that was chosen by it', async () => {
      const { told, own } = await askByTls('names', '');
      assert.equal(told, `${own} app.example`);
      const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 1234 443\r\n';
      const behind = await askByTls('names-behind', header);
      assert.equal(behind.told, '192.0.2.7:1234 198.51.100.1:443 app.example');
    });
  });
}

function ownEnds({ localPort }: Socket, address: string): string {
  return `127.0.0.1:${localPort} ${address}`;
}
