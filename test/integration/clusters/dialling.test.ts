import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually, within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { silentEndpoint, type BadEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import { headerOf, switchingProtocols } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import type { WsPeer } from '../../support/websocket/ws-peer.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const TIMEOUT_MS = 1000;

describe('the way to an endpoint', () => {
  const authority = new CertificateAuthority();
  let raw: RawEndpoint;
  let broken: RawEndpoint;
  let well: RawEndpoint;
  let resetting: RawEndpoint;
  let closing: RawEndpoint;
  let plain: RawEndpoint;
  let deaf: BadEndpoint;
  let secure: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    raw = await RawEndpoint.listen();
    broken = await RawEndpoint.listen(async (connection) => {
      await connection.head();
      connection.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    well = await RawEndpoint.listen(async (connection) => {
      connection.write(switchingProtocols(await connection.head()));
      await connection.closed;
    });
    // As servers refuse a path that they do not know: `socket.destroy()` in a handler of `upgrade`.
    resetting = await RawEndpoint.listen(async (connection) => {
      await connection.head();
      connection.socket.resetAndDestroy();
    });
    closing = await RawEndpoint.listen(async (connection) => {
      await connection.head();
      connection.destroy();
    });
    plain = await RawEndpoint.listen((connection) => {
      connection.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      return connection.closed;
    });
    deaf = await silentEndpoint();
    const { cert, key } = authority.issue('app.internal', ['DNS:app.internal', 'IP:127.0.0.1']);
    const client = authority.issue('sluice', ['DNS:sluice.internal']);
    secure = await WsEndpoint.listen(
      {},
      createHttpsServer({
        cert: readFileSync(cert),
        key: readFileSync(key),
        ca: authority.pem,
        requestCert: true,
        rejectUnauthorized: false,
      }),
    );
    const [gone, goneToo] = await freePorts(2);
    const ca = authority.file;
    const { address } = secure;
    const clusters = {
      raw: { retries: 0, endpoints: [raw.address] },
      'half-gone': { retries: 1, endpoints: [`127.0.0.1:${gone}`, raw.address] },
      'half-resetting': { retries: 1, endpoints: [resetting.address, well.address] },
      'half-closing': { retries: 1, endpoints: [closing.address, well.address] },
      'half-broken': { retries: 1, endpoints: [broken.address, raw.address] },
      gone: { endpoints: [`127.0.0.1:${gone}`, `127.0.0.1:${goneToo}`] },
      deaf: { connectTimeout: `${TIMEOUT_MS}ms`, endpoints: [deaf.address] },
      'patiently-dialled': { connectTimeout: '1m', endpoints: [deaf.address] },
      'mute-tls': { connectTimeout: `${TIMEOUT_MS}ms`, tls: { verify: false }, endpoints: [raw.address] },
      tls: { tls: { ca, serverName: 'app.internal', ...client }, endpoints: [address] },
      'tls-by-address': { tls: { ca }, endpoints: [address] },
      'tls-other-name': { tls: { ca, serverName: 'other.internal' }, endpoints: [address] },
      'tls-stranger': { tls: { serverName: 'app.internal' }, endpoints: [address] },
      'tls-unverified': { tls: { verify: false, serverName: 'other.internal' }, endpoints: [address] },
      'tls-at-plain': { tls: { verify: false }, endpoints: [plain.address] },
    };
    const routes = Object.keys(clusters).map((name) => ({ match: { path: `/${name}` }, cluster: name }));
    rig = await WebRig.start({
      listeners: {
        web: { routes },
        hasty: { routes, websocket: { handshakeTimeout: `${TIMEOUT_MS}ms` } },
      },
      clusters,
    });
  });
  after(async () => {
    raw.close();
    broken.close();
    well.close();
    resetting.close();
    closing.close();
    plain.close();
    secure.close();
    deaf.close();
    authority.remove();
    await rig.stop();
  });

  /** A client that has asked for the cluster of this name. */
  function ask(cluster: string, listener = 'web'): Promise<RawConnection> {
    return rig.ask({ listener, path: `/${cluster}` });
  }

  async function assertRefused(client: RawConnection, status: number, message: string): Promise<void> {
    const head = await client.head();
    assert.equal(Number(head.startLine.split(' ')[1]), status, head.startLine);
    const body = await client.bytes(Number(headerOf(head, 'content-length')));
    assert.equal(body.toString(), `${message}\n`);
    client.destroy();
  }

  async function failures(reason: string): Promise<number> {
    return (await rig.scrape()).sum('sluice_ws_handshake_failures_total', { reason });
  }

  describe('leads past another endpoint', () => {
    for (const [what, name, reason] of [
      ['refuses the connection', 'half-gone', 'refused'],
      ['answers wrongly', 'half-broken', 'handshake'],
    ] as const) {
      it(`when one ${what}`, async () => {
        for (let i = 0; i < 4; i++) {
          const client = await ask(name);
          await raw.session();
          assert.match((await client.head()).startLine, / 101 /);
          client.destroy();
        }
        const metrics = await rig.scrape();
        const retries = metrics.sum('sluice_cluster_retries_total', { cluster: name });
        assert.ok(retries >= 1);
        const labels = { cluster: name, reason };
        assert.equal(metrics.sum('sluice_endpoint_connect_failures_total', labels), retries);
      });
    }

    for (const name of ['half-resetting', 'half-closing']) {
      it(`but not when it has got the upgrade and gives no answer (${name}): that is a 502`, async () => {
        const before = await failures('reset');
        const answers: string[] = [];
        for (let i = 0; i < 4; i++) {
          const client = await ask(name);
          answers.push((await client.head()).startLine.slice(9, 12));
          client.destroy();
        }
        assert.deepEqual(answers.sort(), ['101', '101', '502', '502']);
        const metrics = await rig.scrape();
        assert.equal(metrics.sum('sluice_cluster_retries_total', { cluster: name }), 0);
        assert.equal(await failures('reset'), before + 2);
      });
    }

    it('until none is left, then 502', async () => {
      const before = await failures('dial_failed');
      await assertRefused(await ask('gone'), 502, 'the endpoint cannot be reached');
      const metrics = await rig.scrape();
      assert.equal(metrics.sum('sluice_cluster_retries_total', { cluster: 'gone' }), 1);
      assert.equal(
        metrics.sum('sluice_endpoint_connect_failures_total', { cluster: 'gone', reason: 'refused' }),
        2,
      );
      assert.equal(await failures('dial_failed'), before + 1);
    });
  });

  describe('ends in time', () => {
    for (const [what, part] of [
      ['says nothing', ''],
      ['never ends its head', 'HTTP/1.1 101 Switching Protocols\r\n'],
      ['sends interim answers only', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ] as const) {
      it(`with a 504 when the endpoint ${what}`, async () => {
        const before = await failures('timeout');
        const askedAt = performance.now();
        const client = await ask('raw', 'hasty');
        const { connection } = await raw.request();
        connection.write(part);
        await assertRefused(client, 504, 'the endpoint did not answer in time');
        assert.ok(performance.now() - askedAt > TIMEOUT_MS / 2);
        await within('the end of the connection to the endpoint', connection.closed);
        assert.equal(await failures('timeout'), before + 1);
      });
    }

    it('with a 504 when the endpoint does not accept', async () => {
      const askedAt = performance.now();
      await assertRefused(await ask('deaf'), 504, 'the endpoint did not accept the connection in time');
      assert.ok(performance.now() - askedAt > TIMEOUT_MS / 2);
    });

    it('with a 504 when the endpoint does not speak TLS', async () => {
      const client = await ask('mute-tls');
      const connection = await raw.connections.next();
      await assertRefused(client, 504, 'the endpoint did not accept the connection in time');
      await within('the end of the connection to the endpoint', connection.closed);
    });
  });

  describe('is left when the client goes away', () => {
    for (const [what, part] of [
      ['before the answer', ''],
      ['in the middle of the head', 'HTTP/1.1 101 Switching'],
      ['in the middle of the body', 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nhalf'],
    ] as const) {
      it(what, async () => {
        const before = await failures('client_gone');
        const client = await ask('raw');
        const { connection } = await raw.request();
        connection.write(part);
        client.destroy();
        await within('the end of the connection to the endpoint', connection.closed);
        await eventually(async () => assert.equal(await failures('client_gone'), before + 1));
      });
    }

    it('while the endpoint is dialled', async () => {
      const before = await failures('client_gone');
      const client = await ask('patiently-dialled');
      const dialled = async (): Promise<number> =>
        (await rig.scrape()).sum('sluice_endpoint_connections_active', { cluster: 'patiently-dialled' });
      await eventually(async () => assert.equal(await dialled(), 1));
      client.destroy();
      await eventually(async () => assert.equal(await failures('client_gone'), before + 1));
      assert.equal(await dialled(), 0);
    });
  });

  describe('over TLS', () => {
    async function joinSecure(cluster: string): Promise<{ client: WsPeer; socket: TLSSocket }> {
      const { client, endpoint } = await rig.join(secure, { path: `/${cluster}` });
      client.socket.send('secret');
      assert.equal((await endpoint.messages.next()).data.toString(), 'secret');
      endpoint.socket.send(Buffer.alloc(300_000, 1));
      assert.ok((await client.messages.next()).data.equals(Buffer.alloc(300_000, 1)));
      return { client, socket: (endpoint.socket as unknown as { readonly _socket: TLSSocket })._socket };
    }

    it('asks for the name of the cluster, verifies it and shows its own certificate', async () => {
      const { client, socket } = await joinSecure('tls');
      assert.equal((socket as unknown as { readonly servername: string }).servername, 'app.internal');
      assert.equal(socket.authorized, true);
      assert.equal(socket.getPeerCertificate().subject.CN, 'sluice');
      client.socket.terminate();
    });

    it('resumes the session of an earlier connection, whose verification holds', async () => {
      const first = await joinSecure('tls');
      const second = await joinSecure('tls');
      assert.equal(second.socket.isSessionReused(), true);
      assert.equal(second.socket.authorized, true);
      for (const { client } of [first, second]) client.socket.terminate();
    });

    it('verifies the address if there is no name', async () => {
      const { client } = await joinSecure('tls-by-address');
      client.socket.terminate();
    });

    it('verifies nothing if the cluster says so', async () => {
      const { client, socket } = await joinSecure('tls-unverified');
      assert.equal((socket as unknown as { readonly servername: string }).servername, 'other.internal');
      client.socket.terminate();
    });

    for (const [cluster, what, why] of [
      ['tls-other-name', 'has another name', /other\.internal/],
      ['tls-stranger', 'is signed by a stranger', /self-signed|unable to verify|local issuer/],
      ['tls-at-plain', 'speaks no TLS', /wrong version number|packet length|SSL/i],
    ] as const) {
      it(`is a 502 when the endpoint ${what}, and the log says so`, async () => {
        await assertRefused(await ask(cluster), 502, 'the endpoint cannot be reached');
        const line = await rig.sluice.waitForLog(
          (line) => line.msg === 'endpoint failed' && line.cluster === cluster,
          60_000,
        );
        assert.equal(line.reason, 'tls');
        assert.match(String(line.detail), why);
      });
    }
  });

  it('leaves no connection behind', async () => {
    raw.clear();
    await rig.settled();
  });
});
