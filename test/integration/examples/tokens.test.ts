import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { CertificateAuthority } from '../../support/certificates.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { openSocket, refusedStatus, startServer } from '../../support/examples/servers.ts';
import {
  nameHosts,
  placeCertificate,
  runExample,
  type RunningExample,
} from '../../support/examples/stage.ts';

const URL = 'wss://chat.example.com/';
const ORIGIN = 'https://app.example.com';

testExample(import.meta.filename, 'tokens', () => {
  const authority = new CertificateAuthority();
  const ca = authority.pem;
  let key: CryptoKey;
  let sluice: RunningExample;

  before(async () => {
    nameHosts('chat.example.com');
    placeCertificate(authority, ['chat.example.com']);
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'a', alg: 'ES256' };
    writeFileSync('/etc/sluice/jwks.json', JSON.stringify({ keys: [jwk] }));
    await startServer('127.0.0.1', 3000);
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    authority.remove();
  });

  async function client(user: string, audience = 'chat'): Promise<{ cookie: string }> {
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .setIssuer('https://id.example.com/')
      .setAudience(audience)
      .setSubject(user)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(key);
    return { cookie: `session=${token}` };
  }

  it('admits clients with a token from the own pages only', async () => {
    const alice = await client('alice');
    const { socket } = await openSocket(URL, { ca, origin: ORIGIN, headers: alice });
    socket.terminate();
    assert.equal(await refusedStatus(URL, { ca, origin: 'https://evil.example', headers: alice }), 403);
    assert.equal(await refusedStatus(URL, { ca, origin: ORIGIN }), 401);
    const other = await client('alice', 'another-application');
    assert.equal(await refusedStatus(URL, { ca, origin: ORIGIN, headers: other }), 401);
  });

  it('bounds the connections of a user', async () => {
    const headers = await client('bob');
    const open = [];
    for (let tab = 0; tab < 5; tab++) open.push(await openSocket(URL, { ca, origin: ORIGIN, headers }));
    assert.equal(await refusedStatus(URL, { ca, origin: ORIGIN, headers }), 429);
    for (const { socket } of open) socket.terminate();
  });

  it('closes the session of a user who floods', async () => {
    const { socket } = await openSocket(URL, { ca, origin: ORIGIN, headers: await client('carol') });
    for (let message = 0; message < 500; message++) socket.send('x');
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, 1008);
  });
});
