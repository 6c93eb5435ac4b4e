/** Clients that authenticate by a certificate: their admission, and its use in routes, endpoints and logs. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { TLSSocket } from 'node:tls';
import { CertificateAuthority, type IssuedCertificate } from '../../support/certificates.ts';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { HttpEndpoint, ask as askPlain } from '../../support/http/http-endpoint.ts';
import type { LogLine } from '../../support/processes/sluice-process.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint } from '../../support/websocket/ws-peer.ts';

const HEADER = 'x-forwarded-client-cert';
const ALICE = ['DNS:alice.example', 'URI:spiffe://example/alice', 'DNS:www.alice.example'];

interface Seen {
  readonly status: number;
  readonly body: string;
}

describe('client certificates', () => {
  for (const engine of ENGINES) describe(`on ${engine}`, () => clientCertificatesOn(engine));
});

function clientCertificatesOn(engine: EngineName): void {
  const authority = new CertificateAuthority();
  const stranger = new CertificateAuthority('another authority');
  const below = new CertificateAuthority('an authority below', authority);
  const edge = authority.issue('edge.example', ['DNS:edge.example', 'URI:spiffe://example/edge']);
  const second = authority.issue('second.example', ['DNS:second.example', 'URI:spiffe://example/edge']);
  const alice = authority.issue('alice', ALICE);
  const bob = authority.issue('bob', ['DNS:bob.example']);
  const expired = authority.issue('late', ['DNS:late.example'], { isExpired: true });
  const revoked = authority.issue('gone', ['DNS:gone.example']);
  const dora = below.issue('dora', ['DNS:dora.example']);
  const mallory = stranger.issue('alice', ALICE);
  const fingerprint = new X509Certificate(readFileSync(alice.cert)).fingerprint256;
  const hash = fingerprint.replaceAll(':', '').toLowerCase();
  const told = `By=spiffe://example/edge;Hash=${hash};Subject="CN=alice";URI=spiffe://example/alice;DNS=alice.example;DNS=www.alice.example`;
  let endpoint: HttpEndpoint;
  let app: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await HttpEndpoint.listen(({ headers }, response) => response.end(JSON.stringify(headers)));
    app = await WsEndpoint.listen();
    const routes = [
      { match: { path: '/fixed' }, respond: { body: 'fixed' } },
      { match: { path: '/told', headers: { [HEADER]: 'Hash=1' } }, respond: { body: 'told' } },
      { match: { pathPrefix: '/ws' }, cluster: 'app' },
      { match: {}, cluster: 'http' },
    ];
    const conditions = [
      { subject: 'CN=bob' },
      { fingerprint, san: 'spiffe://example/alice' },
      { san: 'alice.example' },
    ].map((clientCertificate, index) => ({
      match: { clientCertificate, pathPrefix: '/who' },
      respond: { body: String(index) },
    }));
    const certificates = [edge, second];
    const asking = (more: object): object => ({
      engine,
      tls: { certificates, clientCertificates: { ca: authority.file, ...more } },
      routes: [...conditions, ...routes],
      underscoreHeaders: 'pass',
      trustedProxies: ['127.0.0.1'],
    });
    authority.revoke(revoked);
    const crl = authority.revocations();
    const both = `${authority.file}.both`;
    writeFileSync(both, authority.pem + stranger.pem);
    rig = await WebRig.start({
      log: { level: 'debug' },
      listeners: {
        required: asking({}),
        optional: asking({ require: false }),
        hidden: asking({ forward: false }),
        both: asking({ ca: both }),
        ...(isOwnEngine(engine) && { revoking: asking({ crl }) }),
        plain: { engine, routes, underscoreHeaders: 'pass', trustedProxies: ['127.0.0.1'] },
      },
      clusters: { http: { endpoints: [endpoint.address] }, app: { endpoints: [app.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    app.close();
    authority.remove();
    stranger.remove();
    below.remove();
    await rig.stop();
  });

  const keyPair = (client: IssuedCertificate | null): { cert?: Buffer; key?: Buffer } =>
    client === null ? {} : { cert: readFileSync(client.cert), key: readFileSync(client.key) };

  /** Rejects if the connection ends without an answer. */
  async function ask(
    listener: string,
    client: IssuedCertificate | null,
    path = '/',
    options: RequestOptions = {},
  ): Promise<Seen> {
    const [host, port] = rig.address(listener).split(':');
    const trust = { ca: authority.pem, servername: 'edge.example', ...keyPair(client) };
    const request = httpsRequest({ host, port, path, agent: false, ...trust, ...options });
    request.end();
    const [response] = (await within('the response', once(request, 'response'))) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await within('the body', text(response)) };
  }

  async function headersOf(...args: Parameters<typeof ask>): Promise<IncomingHttpHeaders> {
    const { status, body } = await ask(...args);
    assert.equal(status, 200);
    return JSON.parse(body) as IncomingHttpHeaders;
  }

  /** How many connections of a listener were rejected for their certificate, and how many ended without a request. */
  async function failuresOn(listener: string): Promise<{ rejected: number; unused: number }> {
    const metrics = await rig.scrape();
    const labels = { listener, reason: 'client_certificate' };
    return {
      rejected: metrics.sum('sluice_connections_rejected_total', labels),
      unused: metrics.sum('sluice_connections_unused_total', { listener }),
    };
  }

  const lineOf = (msg: string, path: string): Promise<LogLine> =>
    rig.sluice.waitForLog((line) => line.msg === msg && line.path === path);

  for (const listener of ['required', 'optional']) {
    it(`reach endpoints with requests: ${listener}`, async () => {
      assert.equal((await headersOf(listener, alice))[HEADER], told);
    });

    it(`reach endpoints with WebSocket handshakes: ${listener}`, async () => {
      const options = {
        listener,
        scheme: 'wss',
        path: '/ws',
        ca: authority.pem,
        servername: 'edge.example',
      } as const;
      const session = await rig.join(app, { ...options, ...keyPair(alice) });
      assert.equal(session.endpoint.headers[HEADER], told);
      session.client.socket.close();
    });

    it(`select routes: ${listener}`, async () => {
      assert.equal((await ask(listener, bob, '/who')).body, '0');
      assert.equal((await ask(listener, alice, '/who')).body, '1');
    });
  }

  it('are asked for under every server name', async () => {
    for (const servername of ['second.example', 'SECOND.EXAMPLE', 'other.example']) {
      const options = { servername, checkServerIdentity: () => undefined };
      assert.equal((await headersOf('required', alice, '/', options))[HEADER], told, servername);
    }
  });

  it('are hidden from endpoints if the listener says so', async () => {
    assert.equal((await headersOf('hidden', alice))[HEADER], undefined);
    assert.equal((await ask('hidden', bob, '/who')).body, '0');
  });

  it('may be missing if they are optional', async () => {
    const headers = await headersOf('optional', null);
    assert.equal(headers[HEADER], undefined);
    assert.equal((await ask('optional', null, '/fixed')).body, 'fixed');
  });

  it('must be present if they are required, and a missing one is counted', async () => {
    const before = await failuresOn('required');
    if (engine === 'uws') {
      const { status, body } = await ask('required', null, '/fixed');
      assert.deepEqual([status, body], [403, 'a client certificate is required\n']);
    } else {
      await assert.rejects(ask('required', null, '/fixed'));
    }
    await eventually(async () => {
      assert.deepEqual(await failuresOn('required'), { ...before, rejected: before.rejected + 1 });
    });
    const line = await rig.sluice.waitForLog(({ reason }) => reason === 'client_certificate');
    assert.deepEqual(
      [line.msg, line.listener, line.client],
      ['connection rejected', 'required', '127.0.0.1'],
    );
  });

  it('may be of any authority in the file', async () => {
    for (const client of [alice, mallory]) {
      assert.equal((await ask('both', client, '/fixed')).body, 'fixed');
    }
  });

  it('may be of an authority below if the client shows it', async () => {
    const cert = Buffer.concat([readFileSync(dora.cert), Buffer.from(below.pem)]);
    const headers = await headersOf('required', dora, '/', { cert });
    assert.match(String(headers[HEADER]), /;Subject="CN=dora";DNS=dora\.example$/);
    await assert.rejects(ask('required', dora, '/fixed'));
  });

  for (const [what, client] of [
    ['another authority', mallory],
    ['the past', expired],
  ] as const) {
    it(`are refused if they are of ${what}, required or not`, async () => {
      for (const listener of ['required', 'optional']) {
        const before = await failuresOn(listener);
        await assert.rejects(ask(listener, client, '/fixed'), listener);
        const counter = engine === 'uws' ? 'unused' : 'rejected';
        await eventually(async () => {
          assert.deepEqual(await failuresOn(listener), { ...before, [counter]: before[counter] + 1 });
        });
      }
    });
  }

  if (isOwnEngine(engine)) {
    it('are refused if they are revoked', async () => {
      const before = await failuresOn('revoking');
      assert.equal((await ask('revoking', alice, '/fixed')).body, 'fixed');
      await assert.rejects(ask('revoking', revoked, '/fixed'));
      await eventually(async () => {
        assert.deepEqual(await failuresOn('revoking'), { ...before, rejected: before.rejected + 1 });
      });
      assert.equal((await ask('required', revoked, '/fixed')).body, 'fixed');
    });
  }

  it('are known of sessions of TLS that are resumed', async () => {
    const first = await openAndKeep();
    const { seen, isReused } = await openAndKeep(first.ticket);
    assert.deepEqual([isReused, (JSON.parse(seen.body) as IncomingHttpHeaders)[HEADER]], [true, told]);
  });

  /** Asks, and keeps the ticket of the connection. */
  async function openAndKeep(
    session?: Buffer,
  ): Promise<{ seen: Seen; isReused: boolean; ticket: Buffer | undefined }> {
    const [host, port] = rig.address('required').split(':');
    const trust = { ca: authority.pem, servername: 'edge.example', ...keyPair(alice) };
    const options = { host, port, agent: false, session, ...trust };
    const request = httpsRequest(options as RequestOptions);
    let ticket: Buffer | undefined;
    request.once('socket', (socket) => socket.on('session', (given: Buffer) => (ticket = given)));
    request.end();
    const [response] = (await within('the response', once(request, 'response'))) as [IncomingMessage];
    const { socket } = response;
    assert.ok(socket instanceof TLSSocket);
    const isReused = socket.isSessionReused();
    return { seen: { status: 200, body: await text(response) }, isReused, ticket };
  }

  it('never come from headers of a client or a trusted proxy', async () => {
    const headers = {
      [HEADER]: 'Hash=1',
      x_forwarded_client_cert: 'Hash=1',
      'x-forwarded_client-cert': 'Hash=1',
      connection: `close, ${HEADER}`,
    };
    for (const client of [alice, null]) {
      const seen = await headersOf('optional', client, '/told', { headers });
      assert.equal(seen[HEADER], client === null ? undefined : told);
      assert.deepEqual(
        Object.keys(seen).filter((name) => name.includes('_')),
        [],
      );
    }
    const { body } = await askPlain(`http://${rig.address('plain')}/told`, { headers });
    assert.deepEqual(
      Object.keys(JSON.parse(body.toString()) as object).filter((name) => name.includes('client')),
      [],
    );
    const session = await rig.join(app, { listener: 'plain', path: '/ws', headers: { [HEADER]: 'Hash=1' } });
    assert.equal(session.endpoint.headers[HEADER], undefined);
    session.client.socket.close();
  });

  it('are named in access lines', async () => {
    const named = { certSubject: 'CN=alice', certFingerprint: hash };
    const has = (line: LogLine, expected: object): void =>
      assert.deepEqual({ certSubject: line.certSubject, certFingerprint: line.certFingerprint }, expected);
    await ask('optional', alice, '/fixed?a');
    await ask('optional', alice, '/line');
    has(await lineOf('request', '/line'), named);
    await ask('optional', null, '/line/none');
    has(await lineOf('request', '/line/none'), { certSubject: undefined, certFingerprint: undefined });
    const options = {
      listener: 'optional',
      scheme: 'wss',
      ca: authority.pem,
      servername: 'edge.example',
    } as const;
    const session = await rig.join(app, { ...options, path: '/ws/line', ...keyPair(alice) });
    has(await lineOf('session opened', '/ws/line'), named);
    session.client.socket.close();
    has(await lineOf('session closed', '/ws/line'), named);
    await assert.rejects(rig.join(app, { ...options, path: '/fixed', ...keyPair(alice) }));
    has(await lineOf('handshake refused', '/fixed'), named);
  });
}
