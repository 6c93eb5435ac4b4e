import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

for (const engine of ENGINES)
  describe(`the certificates of a listener on ${engine}`, () => {
    const authority = new CertificateAuthority();
    let app: WsEndpoint;
    let rig: WebRig;

    before(async () => {
      app = await WsEndpoint.listen();
      const certificates = [
        authority.issue('first.example', ['DNS:first.example']),
        authority.issue('second.example', [
          'DNS:second.example',
          'DNS:also-second.example',
          'DNS:kelvin.example',
        ]),
        authority.issue('third.example', ['DNS:third.example', 'DNS:*.third.example']),
      ];
      const routes = [
        { match: { path: '/ping' }, respond: { body: 'pong\n' } },
        { match: {}, cluster: 'app' },
      ];
      rig = await WebRig.start({
        workers: { l7: 2 },
        listeners: { web: { engine, tls: { certificates }, routes } },
        clusters: { app: { endpoints: [app.address] } },
      });
    });
    after(async () => {
      app.close();
      authority.remove();
      await rig.stop();
    });

    /** Asks a listener for its certificate by openssl. */
    function sClient(...args: string[]): ReturnType<typeof runCommand> {
      const address = rig.address('web');
      return runCommand('openssl', ['s_client', '-connect', address, '-CAfile', authority.file, ...args]);
    }

    for (const [asked, shown] of [
      ['first.example', 'first.example'],
      ['second.example', 'second.example'],
      ['also-second.example', 'second.example'],
      ['b.a.third.example', 'first.example'],
      ['third.example', 'third.example'],
      ['a.third.example', 'third.example'],
      // uWebSockets.js looks for what it gets; the other engines ignore what is no name.
      ['*.third.example', engine === 'uws' ? 'third.example' : 'first.example'],
      ['other.example', 'first.example'],
      ['example', 'first.example'],
      ['SECOND.EXAMPLE', 'second.example'],
      ['Second.Example', 'second.example'],
      ['A.THIRD.EXAMPLE', 'third.example'],
      ['a.Third.example', 'third.example'],
      ['FIRST.EXAMPLE', 'first.example'],
      ['OTHER.EXAMPLE', 'first.example'],
    ] as const) {
      it(`are chosen by the name asked for: ${asked} gets that of ${shown}`, async () => {
        const { status, stdout } = await sClient('-servername', asked, '-verify_return_error');
        assert.equal(status, 0);
        assert.match(stdout, new RegExp(`^subject=CN = ${shown.replaceAll('.', '\\.')}$`, 'm'));
        assert.match(stdout, /Verify return code: 0 \(ok\)/);
      });
    }

    it('are found in capitals after clients have tried many spellings', async () => {
      for (let spelling = 0; spelling < 40; spelling++) {
        const letters = 'also-second.example'.replace(/[a-z]/g, (letter, index: number) =>
          (spelling >> index) & 1 ? letter.toUpperCase() : letter,
        );
        assert.equal((await sClient('-servername', letters)).status, 0);
      }
      const { stdout } = await sClient('-servername', 'ALSO-SECOND.EXAMPLE');
      assert.match(stdout, /^subject=CN = second\.example$/m);
    });

    it('are found in capitals with the dot of the root', async () => {
      const { stdout } = await sClient('-servername', 'SECOND.EXAMPLE.');
      assert.match(stdout, /^subject=CN = second\.example$/m);
    });

    it('are not found for characters whose lower case is in the name', async () => {
      const { stdout } = await sClient('-servername', 'kelvin.example'.replace('k', '\u212a'));
      assert.match(stdout, /^subject=CN = first\.example$/m);
    });

    it('leave nothing but the log on standard output, whatever names clients have asked for', async () => {
      const from = rig.sluice.logs.length;
      assert.equal((await sClient('-servername', 'Third.Example')).status, 0);
      const { port } = new URL(`https://${rig.address('web')}`);
      const { status } = await runCommand('curl', [
        ...['-sS', '--cacert', authority.file, '--resolve', `first.example:${port}:127.0.0.1`],
        `https://first.example:${port}/ping`,
      ]);
      assert.equal(status, 0);
      await rig.sluice.waitForLog(({ msg }) => msg === 'request', undefined, from);
      assert.deepEqual(rig.sluice.otherOutput, []);
    });

    it('are the first if no name is asked for', async () => {
      const { stdout } = await sClient('-noservername');
      assert.match(stdout, /^subject=CN = first\.example$/m);
    });

    for (const name of ['first.example', 'second.example', 'third.example', 'b.third.example']) {
      it(`serve HTTP and WebSockets under each name: ${name}`, async () => {
        const { port } = new URL(`https://${rig.address('web')}`);
        const curl = await runCommand('curl', [
          ...['-sS', '--cacert', authority.file, '--resolve', `${name}:${port}:127.0.0.1`],
          `https://${name}:${port}/ping`,
        ]);
        assert.deepEqual(curl, { status: 0, stdout: 'pong\n', stderr: '' });

        const client = await WsPeer.connect(`wss://${rig.address('web')}/`, {
          ca: authority.pem,
          servername: name,
          headers: { host: `${name}:${port}` },
        });
        const endpoint = await app.sessions.next();
        assert.equal(endpoint.headers.host, `${name}:${port}`);
        assert.equal(endpoint.headers['x-forwarded-proto'], 'https');
        client.socket.send('there');
        assert.equal((await endpoint.messages.next()).data.toString(), 'there');
        endpoint.socket.send('and back');
        assert.equal((await client.messages.next()).data.toString(), 'and back');
        client.socket.close(4000, 'done');
        assert.deepEqual(await endpoint.closed(), { code: 4000, reason: 'done' });
      });
    }

    it('are not shown to TLS 1.1, nor to a client without TLS', async () => {
      const old = await sClient('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
      assert.notEqual(old.status, 0);
      assert.doesNotMatch(old.stdout, /BEGIN CERTIFICATE/);
      const plain = await runCommand('curl', ['-sS', `http://${rig.address('web')}/ping`]);
      assert.notEqual(plain.status, 0);
      assert.equal(plain.stdout, '');
    });

    it('are reported with the day on which they expire', async () => {
      const metrics = await rig.scrape();
      const tomorrow = Date.now() / 1000 + 86_400;
      const sum = metrics.sum('sluice_tls_certificate_not_after_timestamp_seconds', { listener: 'web' });
      // Three, each valid for two days.
      assert.ok(sum > 3 * tomorrow && sum < 3 * (tomorrow + 2 * 86_400));
    });

    it('leave no connection behind', async () => {
      await eventually(async () => {
        const metrics = await rig.scrape();
        assert.equal(metrics.sum('sluice_ws_sessions_active'), 0);
        assert.equal(metrics.sum('sluice_connections_active'), 0);
      });
    });
  });
