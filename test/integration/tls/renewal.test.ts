/** Certificates that change while clients come and sessions are open, on the engines that end TLS by themselves. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority, type IssuedCertificate } from '../../support/certificates.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { ReloadRig } from '../../support/rigs/reload-rig.ts';
import { TlsPeer } from '../../support/sockets/tls-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';
/** Whether the kernel lists sockets there. */
const hasList = existsSync('/proc/net/tcp');

/** Returns the numbers of the sockets that listen on an address. */
function socketsOf(address: string): string[] {
  if (!hasList) return [];
  const port = Number(address.split(':')[1]).toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${port}`) === true && state === LISTENING)
    .map((fields) => fields[9] ?? '')
    .sort();
}

describe('a certificate that is renewed', { timeout: 120_000 }, () => {
  const authority = new CertificateAuthority();
  const directory = mkdtempSync(join(tmpdir(), 'sluice-renewal-'));
  const [old, renewed] = ['old', 'renewed'].map((name) => authority.issue(name, ['DNS:a.example']));
  const place = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  let endpoint: WsEndpoint;

  const put = ({ cert, key }: IssuedCertificate): void => {
    copyFileSync(cert, place.cert);
    copyFileSync(key, place.key);
  };
  before(async () => {
    endpoint = await WsEndpoint.listen();
  });
  after(() => {
    endpoint.close();
    authority.remove();
    rmSync(directory, { recursive: true });
  });

  for (const engine of ENGINES.filter(isOwnEngine)) {
    it(`is active when the reload is answered, and disturbs no client, on ${engine}`, async () => {
      put(old!);
      const config = {
        listeners: [
          {
            ...{ name: 'web', mode: 'l7', address: '127.0.0.1:0', engine },
            tls: { certificates: [place] },
            routes: [{ match: {}, cluster: 'app' }],
          },
        ],
        clusters: [{ name: 'app', endpoints: [{ address: endpoint.address }] }],
      };
      const rig = await ReloadRig.start(config);
      try {
        const address = rig.sluice.address('web');
        const visit = async (): Promise<string> => {
          const peer = await TlsPeer.connect(address);
          const name = String(peer.tls.getPeerCertificate().subject.CN);
          peer.destroy();
          return name;
        };
        const kept = await WsPeer.connect(`wss://${address}/`, { rejectUnauthorized: false });
        const session = await endpoint.sessions.next();
        const seen: string[] = [await visit()];
        const sockets = socketsOf(address);
        assert.equal(sockets.length, hasList ? 2 : 0);
        const visits = Promise.all(Array.from({ length: 20 }, async () => seen.push(await visit())));
        put(renewed!);
        await rig.reload(config);
        await visits;
        // Both workers get some of them.
        for (let count = 0; count < 16; count++) assert.equal(await visit(), 'renewed');
        assert.equal(seen[0], 'old');
        assert.deepEqual(socketsOf(address), sockets);
        kept.socket.send('still here');
        assert.equal((await session.messages.next()).data.toString(), 'still here');
        kept.socket.terminate();
        const { workers } = await rig.status();
        assert.ok(workers.every(({ olderConnections }) => olderConnections === 0));
      } finally {
        await rig.sluice.stop();
      }
    });
  }
});
