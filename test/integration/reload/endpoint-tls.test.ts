/** Reloads that change how endpoints are proved. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { ask } from '../../support/http/http-endpoint.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';

describe('kept connections to endpoints with TLS', () => {
  for (const engine of ENGINES) {
    describe(`on ${engine}`, () => keptOn(engine));
  }
});

function keptOn(engine: EngineName): void {
  const authority = new CertificateAuthority('own');
  const stranger = new CertificateAuthority('stranger');
  const { cert, key } = authority.issue('app.internal', ['DNS:app.internal']);
  const client = authority.issue('edge', ['DNS:edge.internal']);
  let server: Server;
  let rig: ReloadRig;
  let open = 0;
  let made = 0;

  before(async () => {
    server = createServer(
      { cert: readFileSync(cert), key: readFileSync(key), requestCert: true, rejectUnauthorized: false },
      (_request, response) => response.end('fine'),
    );
    server.keepAliveTimeout = 0;
    server.on('secureConnection', (socket) => {
      made++;
      open++;
      socket.on('close', () => open--);
    });
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    rig = await ReloadRig.start(configOf({ verify: false }));
  });

  after(async () => {
    authority.remove();
    stranger.remove();
    assert.deepEqual(await rig.sluice.stop(), { code: 0, signal: null });
    server.close();
    server.closeAllConnections();
  });

  const configOf = (tls: object, retries = 0): object => ({
    workers: { l7: 1, l4: 1 },
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        engine,
        routes: [{ match: {}, cluster: 'app' }],
      },
    ],
    clusters: [
      {
        name: 'app',
        tls,
        retries,
        outlier: false,
        endpoints: [{ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }],
      },
    ],
  });

  async function status(): Promise<number> {
    return (await ask(`http://${await rig.address('web')}/`)).status;
  }

  const trusted = { ca: authority.file, serverName: 'app.internal' };

  for (const [what, from, to, wanted] of [
    [
      'the certificate is verified',
      { verify: false },
      { ca: authority.file, serverName: 'app.internal' },
      200,
    ],
    ['another authority is trusted', trusted, { ...trusted, ca: stranger.file }, 502],
    ['another name is wanted', trusted, { ...trusted, serverName: 'other.internal' }, 502],
    ['a client certificate is shown', trusted, { ...trusted, cert: client.cert, key: client.key }, 200],
  ] as const) {
    it(`carry no new request once ${what}`, async () => {
      await rig.reload(configOf(from));
      assert.equal(await status(), 200);
      await eventually(() => assert.equal(open, 1));
      const before = made;
      assert.deepEqual([await status(), made], [200, before]);
      await rig.reload(configOf(to));
      await eventually(() => assert.equal(open, 0));
      assert.equal(await status(), wanted);
      if (wanted === 200) assert.equal(made, before + 1);
    });
  }

  it('carry requests on after a reload that changes nothing about TLS', async () => {
    await rig.reload(configOf(trusted));
    assert.equal(await status(), 200);
    const before = made;
    await rig.reload(configOf(trusted, 1));
    assert.deepEqual([await status(), made], [200, before]);
  });
}
