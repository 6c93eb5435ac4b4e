import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { CertificateAuthority, type IssuedCertificate } from '../../support/certificates.ts';
import { testExample } from '../../support/examples/isolation.ts';
import { openSocket, refusedStatus, startServer } from '../../support/examples/servers.ts';
import {
  nameHosts,
  placeCertificate,
  runExample,
  type RunningExample,
} from '../../support/examples/stage.ts';

const URL = 'wss://devices.example.com/';

testExample(import.meta.filename, 'client-certificates', () => {
  const web = new CertificateAuthority('web');
  const devices = new CertificateAuthority('devices');
  const strangers = new CertificateAuthority('strangers');
  let sluice: RunningExample;

  before(async () => {
    nameHosts('devices.example.com');
    placeCertificate(web, ['devices.example.com']);
    copyFileSync(devices.file, '/etc/sluice/tls/devices-ca.pem');
    await startServer('127.0.0.1', 3000);
    sluice = await runExample();
  });
  after(async () => {
    await sluice.stop();
    for (const authority of [web, devices, strangers]) authority.remove();
  });

  it('tells the server which device it is', async () => {
    const { socket, seen } = await openSocket(URL, {
      ca: web.pem,
      ...identity(devices.issue('sensor-7', ['DNS:sensor-7'])),
    });
    assert.match(String(seen.headers['x-forwarded-client-cert']), /DNS=sensor-7/);
    socket.terminate();
  });

  it('refuses clients without a certificate, and those of other authorities', async () => {
    await assert.rejects(refusedStatus(URL, { ca: web.pem }), /certificate required|ECONNRESET|hang up/i);
    const stranger = identity(strangers.issue('stranger', ['DNS:stranger']));
    await assert.rejects(refusedStatus(URL, { ca: web.pem, ...stranger }), /unknown ca|ECONNRESET|hang up/i);
  });
});

function identity({ cert, key }: IssuedCertificate): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}
