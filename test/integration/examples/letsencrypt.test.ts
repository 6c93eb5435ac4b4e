import assert from 'node:assert/strict';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, refusedStatus, startServer } from '../../support/examples/servers.ts';
import {
  nameHosts,
  placeCertificate,
  runExample,
  type RunningExample,
} from '../../support/examples/stage.ts';

testExample(import.meta.filename, 'letsencrypt', () => {
  const authority = new CertificateAuthority();
  let sluice: RunningExample;

  before(async () => {
    nameHosts('chat.example.com');
    placeCertificate(authority, ['chat.example.com']);
    // certbot's hook makes a directory for each name.
    mkdirSync('/etc/sluice/tls/chat.example.com');
    for (const file of ['fullchain.pem', 'privkey.pem']) {
      renameSync(`/etc/sluice/tls/${file}`, `/etc/sluice/tls/chat.example.com/${file}`);
    }
    mkdirSync('/srv/acme/.well-known/acme-challenge', { recursive: true });
    writeFileSync('/srv/acme/.well-known/acme-challenge/a-token', 'a-token.a-thumbprint');
    await startServer('127.0.0.1', 3000);
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    authority.remove();
  });

  it('carries WebSockets over TLS', async () => {
    const { socket, seen } = await openSocket('wss://chat.example.com/room', { ca: authority.pem });
    assert.equal(seen.headers['x-forwarded-proto'], 'https');
    assert.equal(seen.url, '/room');
    socket.terminate();
  });

  it('redirects plain requests and WebSockets', async () => {
    const { status, headers } = await get('http://chat.example.com/room?id=1');
    assert.deepEqual([status, headers.location], [308, 'https://chat.example.com/room?id=1']);
    assert.equal(await refusedStatus('ws://chat.example.com/room'), 308);
  });

  it("answers the authority's challenges over plain HTTP", async () => {
    const { status, body } = await get('http://chat.example.com/.well-known/acme-challenge/a-token');
    assert.deepEqual([status, body], [200, 'a-token.a-thumbprint']);
  });
});
