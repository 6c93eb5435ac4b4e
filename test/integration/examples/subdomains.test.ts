import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, seenIn, startServer } from '../../support/examples/servers.ts';
import {
  nameHosts,
  placeCertificate,
  runExample,
  type RunningExample,
} from '../../support/examples/stage.ts';

const HOSTS = ['example.com', 'www.example.com', 'api.example.com', 'chat.example.com'] as const;

testExample(import.meta.filename, 'subdomains', () => {
  const authority = new CertificateAuthority();
  const ca = authority.pem;
  let sluice: RunningExample;

  before(async () => {
    nameHosts(...HOSTS);
    placeCertificate(authority, HOSTS);
    mkdirSync('/srv/app');
    writeFileSync('/srv/app/index.html', '<!doctype html><title>app</title>');
    for (const port of [4000, 5001, 5002]) await startServer('127.0.0.1', port);
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    authority.remove();
  });

  it("serves the application's page for each path of both hosts", async () => {
    for (const url of ['https://example.com/', 'https://www.example.com/users/7']) {
      const { status, body } = await get(url, { ca });
      assert.deepEqual([status, body], [200, '<!doctype html><title>app</title>'], url);
    }
  });

  it('sends API requests to the API', async () => {
    assert.equal(seenIn(await get('https://api.example.com/users', { ca })).server, '127.0.0.1:4000');
  });

  it('balances the chat over its servers', async () => {
    const servers = new Set<string>();
    for (let client = 0; client < 4; client++) {
      const { socket, seen } = await openSocket('wss://chat.example.com/', { ca });
      servers.add(seen.server);
      socket.terminate();
    }
    assert.deepEqual([...servers].sort(), ['127.0.0.1:5001', '127.0.0.1:5002']);
  });
});
