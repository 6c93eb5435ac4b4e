/** One port for TLS that ends in the proxy, and for TLS that is tunnelled to endpoints. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine } from '../../support/engines.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { scrape, settled } from '../../support/http/metrics.ts';
import { askByCurl } from '../../support/processes/curl.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-for-tests-only';
const GAUGES = ['sluice_tunnels_active', 'sluice_ws_sessions_active', 'sluice_connections_active'];
const LONG_GRACE = '60s';

for (const engine of ENGINES.filter(isOwnEngine)) {
  describe(`TLS of ${engine} beside tunnels`, { timeout: 300_000 }, () => {
    const authority = new CertificateAuthority();
    let secure: Server;
    let webSockets: WsEndpoint;
    let sluice: SluiceProcess;
    let ends = false;
    const sockets: TLSSocket[] = [];
    const sessions: WsPeer[] = [];

    before(async () => {
      const own = authority.issue('app.example', ['DNS:app.example']);
      const theirs = authority.issue('db.example', ['DNS:*.db.example']);
      const options = { cert: readFileSync(theirs.cert), key: readFileSync(theirs.key) };
      secure = createServer(options, (socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      await once(secure.listen(0, '127.0.0.1'), 'listening');
      webSockets = await WsEndpoint.listen();
      const passthrough = [{ serverName: '*.db.example', cluster: 'db' }];
      const shared = { mode: 'l7', address: '127.0.0.1:0', engine, passthrough };
      sluice = await startSluice({
        config: {
          workers: { l7: 1 },
          admin: { address: '127.0.0.1:0', token: TOKEN },
          shutdown: { grace: LONG_GRACE },
          listeners: [
            {
              ...{ name: 'web', ...shared, tls: { certificates: [own] } },
              routes: [{ match: {}, cluster: 'web-sockets' }],
            },
            { name: 'plain', ...shared, routes: [{ match: {}, respond: { body: 'plain' } }] },
          ],
          clusters: [
            { name: 'db', endpoints: [{ address: endpointAddress() }] },
            { name: 'web-sockets', endpoints: [{ address: webSockets.address }] },
          ],
        },
      });
    });
    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      for (const { socket } of sessions.splice(0)) socket.terminate();
      if (!ends) await settled(sluice, GAUGES);
    });
    after(async () => {
      secure.close();
      webSockets.close();
      await sluice.stop('SIGKILL');
      authority.remove();
    });

    const endpointAddress = (): string => `127.0.0.1:${(secure.address() as AddressInfo).port}`;

    /** @param servername empty to send none */
    async function connectFor(servername: string, listener = 'web'): Promise<TLSSocket> {
      const [host, port] = sluice.address(listener).split(':');
      const socket = connect({
        ...{ host, port: Number(port), ca: authority.pem },
        ...(servername === '' ? {} : { servername }),
        checkServerIdentity: () => undefined,
      });
      socket.on('error', () => undefined);
      sockets.push(socket);
      await within('the handshake', once(socket, 'secureConnect'));
      return socket;
    }

    async function openSession(): Promise<WsPeer> {
      const options = { servername: 'app.example', ca: authority.pem };
      const session = await WsPeer.connect(`wss://${sluice.address('web')}/`, options);
      sessions.push(session);
      return session;
    }

    async function echoes(socket: TLSSocket, text: string): Promise<void> {
      const answer = within('the echo', once(socket, 'data'));
      socket.write(text);
      assert.equal(String((await answer)[0]), text);
    }

    async function post(path: string): Promise<void> {
      const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' };
      const answer = await fetch(`http://${sluice.admin}${path}`, { method: 'POST', headers });
      assert.ok(answer.ok, await answer.text());
    }

    it('terminates TLS for all names except tunnelled ones', async () => {
      for (const [servername, subject] of [
        ['app.example', 'app.example'],
        ['', 'app.example'],
        ['other.example', 'app.example'],
        ['db.example', 'app.example'],
        ['one.db.example', 'db.example'],
        ['ONE.two.DB.example', 'db.example'],
      ] as const) {
        const socket = await connectFor(servername);
        assert.equal(socket.getPeerCertificate().subject.CN, subject, servername);
      }
    });

    it('carries sessions and tunnels side by side, and counts both', async () => {
      const [session, tunnel] = await Promise.all([openSession(), connectFor('one.db.example')]);
      await echoes(tunnel, 'to the endpoint');
      session.socket.send('to the application');
      const peer = await webSockets.sessions.next();
      assert.equal(String((await peer.messages.next()).data), 'to the application');
      const metrics = await scrape(sluice);
      const labels = { listener: 'web' };
      assert.deepEqual(
        [
          metrics.sum('sluice_connections_active', labels),
          metrics.sum('sluice_ws_sessions_active', labels),
          metrics.sum('sluice_tunnels_active', { ...labels, cluster: 'db' }),
        ],
        [2, 1, 1],
      );
      const status = JSON.parse((await askAdmin(sluice.admin, '/status')).body) as { connections: number };
      assert.equal(status.connections, 2);
    });

    it('serves plain HTTP beside tunnels without TLS', async () => {
      assert.equal((await askByCurl(sluice.address('plain'), '/', [])).body, 'plain');
      await echoes(await connectFor('one.db.example', 'plain'), 'to the endpoint');
    });

    it('drains the tunnels to an endpoint', async () => {
      const tunnel = await connectFor('one.db.example');
      await echoes(tunnel, 'to the endpoint');
      const ended = within('the end of the tunnel', once(tunnel.resume(), 'end'));
      const path = `/clusters/db/endpoints/${encodeURIComponent(endpointAddress())}`;
      await post(`${path}/drain?rate=1000/s`);
      await ended;
      await post(`${path}/undrain`);
      await eventually(async () => echoes(await connectFor('one.db.example'), 'again'));
    });

    it('lets tunnels finish when it ends, and closes sessions at once', async () => {
      const [session, tunnel] = await Promise.all([openSession(), connectFor('one.db.example')]);
      await echoes(tunnel, 'before');
      ends = true;
      sluice.kill('SIGTERM');
      assert.equal((await session.closed()).code, 1012);
      await echoes(tunnel, 'after');
      tunnel.end();
      assert.deepEqual(await sluice.waitForExit(), { code: 0, signal: null });
    });
  });
}
