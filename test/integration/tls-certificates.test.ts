import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { scrape } from '../support/metrics.ts';
import { runCommand } from '../support/run-command.ts';
import { startSluice, type SluiceProcess } from '../support/sluice-process.ts';
import { WsEndpoint, WsPeer } from '../support/ws-peer.ts';

describe('the certificates of a listener', () => {
  const authority = new CertificateAuthority();
  let app: WsEndpoint;
  let sluice: SluiceProcess;

  before(async () => {
    app = await WsEndpoint.listen();
    const certificates = [
      authority.issue('first.example', ['DNS:first.example']),
      authority.issue('second.example', ['DNS:second.example', 'DNS:also-second.example']),
      authority.issue('third.example', ['DNS:third.example', 'DNS:*.third.example']),
    ];
    const routes = [
      { match: { path: '/ping' }, respond: { body: 'pong\n' } },
      { match: {}, cluster: 'app' },
    ];
    sluice = await startSluice({
      deadlineMs: 60_000,
      config: {
        workers: { l7: 2, l4: 1 },
        admin: { address: '127.0.0.1:0' },
        listeners: [{ name: 'web', mode: 'l7', address: '127.0.0.1:0', tls: { certificates }, routes }],
        clusters: [{ name: 'app', endpoints: [{ address: app.address }] }],
      },
    });
  });
  after(async () => {
    app.close();
    authority.remove();
    assert.deepEqual(await sluice.stop('SIGTERM', 30_000), { code: 0, signal: null });
    assert.deepEqual(
      sluice.logs.filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
  });

  /** What openssl sees of the listener. */
  function sClient(...args: string[]): ReturnType<typeof runCommand> {
    const address = sluice.address('web');
    return runCommand('openssl', ['s_client', '-connect', address, '-CAfile', authority.file, ...args]);
  }

  for (const [asked, shown] of [
    ['first.example', 'first.example'],
    ['second.example', 'second.example'],
    ['also-second.example', 'second.example'],
    ['b.a.third.example', 'first.example'],
    ['third.example', 'third.example'],
    ['a.third.example', 'third.example'],
    ['*.third.example', 'third.example'],
    ['other.example', 'first.example'],
    ['example', 'first.example'],
  ] as const) {
    it(`are chosen by the name asked for: ${asked} gets that of ${shown}`, async () => {
      const { status, stdout } = await sClient('-servername', asked, '-verify_return_error');
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^subject=CN = ${shown.replaceAll('.', '\\.')}$`, 'm'));
      assert.match(stdout, /Verify return code: 0 \(ok\)/);
    });
  }

  it('are the first where no name is asked for', async () => {
    const { stdout } = await sClient('-noservername');
    assert.match(stdout, /^subject=CN = first\.example$/m);
  });

  for (const name of ['first.example', 'second.example', 'third.example', 'b.third.example']) {
    it(`serve HTTP and WebSockets under each name: ${name}`, async () => {
      const { port } = new URL(`https://${sluice.address('web')}`);
      const curl = await runCommand('curl', [
        ...['-sS', '--cacert', authority.file, '--resolve', `${name}:${port}:127.0.0.1`],
        `https://${name}:${port}/ping`,
      ]);
      assert.deepEqual(curl, { status: 0, stdout: 'pong\n', stderr: '' });

      const client = await WsPeer.connect(`wss://${sluice.address('web')}/`, {
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
    const plain = await runCommand('curl', ['-sS', `http://${sluice.address('web')}/ping`]);
    assert.notEqual(plain.status, 0);
    assert.equal(plain.stdout, '');
  });

  it('are reported with the day on which they expire', async () => {
    const metrics = await scrape(sluice);
    const tomorrow = Date.now() / 1000 + 86_400;
    const sum = metrics.sum('sluice_tls_certificate_not_after_seconds', { listener: 'web' });
    // Three, each valid for two days.
    assert.ok(sum > 3 * tomorrow && sum < 3 * (tomorrow + 2 * 86_400));
  });

  it('leave no connection behind', async () => {
    await eventually(async () => {
      const metrics = await scrape(sluice);
      assert.equal(metrics.sum('sluice_ws_sessions_active'), 0);
      assert.equal(metrics.sum('sluice_connections_active'), 0);
    });
  });
});
