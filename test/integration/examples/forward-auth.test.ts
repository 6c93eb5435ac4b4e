import assert from 'node:assert/strict';
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

const APP = 'wss://app.example.com/';
const LOGIN = 'https://auth.example.com/?rd=https%3A%2F%2Fapp.example.com%2F';

testExample(import.meta.filename, 'forward-auth', () => {
  const authority = new CertificateAuthority();
  const ca = authority.pem;
  let sluice: RunningExample;

  before(async () => {
    nameHosts('app.example.com', 'auth.example.com');
    placeCertificate(authority, ['app.example.com', 'auth.example.com']);
    await startServer('127.0.0.1', 3000);
    await startServer('127.0.0.1', 9091, ({ url, headers }) => {
      if (url !== '/api/authz/forward-auth') return { status: 200 };
      if (headers.cookie === 'authelia_session=alice')
        return { status: 200, headers: { 'remote-user': 'alice' } };
      return { status: 302, headers: { location: LOGIN } };
    });
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    authority.remove();
  });

  it('tells the application who the client is', async () => {
    const headers = { cookie: 'authelia_session=alice', 'remote-user': 'mallory' };
    const { socket, seen } = await openSocket(APP, { ca, headers });
    assert.equal(seen.headers['remote-user'], 'alice');
    socket.terminate();
  });

  it('sends strangers to the login page, which needs no login', async () => {
    const { status, headers } = await get('https://app.example.com/', { ca });
    assert.deepEqual([status, headers.location], [302, LOGIN]);
    assert.equal(await refusedStatus(APP, { ca }), 302);
    assert.equal((await get('https://auth.example.com/', { ca })).status, 200);
  });
});
