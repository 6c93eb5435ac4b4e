/** NTLM and Negotiate through the proxy: what authenticates a connection to an endpoint is one client's own. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/deadline.ts';
import { Domain, ask, logIn, logInAtOnce, upgrade } from '../../support/http/connection-domain.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';

describe('connection-bound authentication', () => {
  const authority = new CertificateAuthority();
  let domains: Domain[];
  let other: Domain;
  let rig: WebRig;
  const clients: RawConnection[] = [];

  before(async () => {
    domains = [await Domain.listen(), await Domain.listen()];
    other = await Domain.listen();
    rig = await WebRig.start({
      listeners: {
        secure: { tls: { certificates: [authority.issue('localhost', ['DNS:localhost'])] } },
        web: {
          routes: [
            { match: { pathPrefix: '/other' }, cluster: 'other' },
            { match: { pathPrefix: '/few' }, cluster: 'few' },
            { match: { pathPrefix: '/narrow' }, cluster: 'narrow' },
            ...(['set', 'add'] as const).map((edit) => ({
              match: { pathPrefix: `/login-${edit}` },
              cluster: 'other',
              headers: { request: { [edit]: { authorization: `Negotiate ${edit}` } } },
            })),
            {
              match: { pathPrefix: '/anonymous' },
              cluster: 'other',
              headers: { request: { remove: ['authorization'] } },
            },
            { match: { path: '/fixed' }, respond: { status: 200, body: 'fixed' } },
            { match: {}, cluster: 'app' },
          ],
        },
      },
      clusters: {
        app: { endpoints: domains.map(({ address }) => address), balancer: 'round_robin', maxConnections: 6 },
        other: { endpoints: [other.address] },
        few: { endpoints: [other.address], maxConnections: 8 },
        narrow: { endpoints: [{ address: other.address, maxConnections: 8 }] },
      },
    });
  });
  after(async () => {
    for (const client of clients) client.destroy();
    for (const domain of [...domains, other]) domain.close();
    await rig.stop();
    authority.remove();
  });
  beforeEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  async function connect(localAddress: string | null = null): Promise<RawConnection> {
    const client = await RawConnection.connect(rig.address('web'), localAddress);
    clients.push(client);
    return client;
  }

  it('counts for maxConnections, yields while it is idle, and ends with its client', async () => {
    const first = await connect();
    await logIn(first, 'first');
    for (let number = 1; number < 6; number++) await logIn(await connect(), `user${number}`);
    const late = await connect();
    await logIn(late, 'late');
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_endpoint_connections_active', { cluster: 'app' }), 6);
    assert.equal(metrics.sum('sluice_cluster_rejections_total'), 0);
    assert.ok(metrics.sum('sluice_http_bound_connections_closed_total', { reason: 'limit' }) > 0);
    assert.equal((await ask(first)).status, 401);
    for (const client of clients.splice(0)) client.destroy();
    await eventually(async () => {
      const left = await rig.scrape();
      assert.equal(left.sum('sluice_endpoint_connections_active'), 0);
      assert.ok(left.sum('sluice_http_bound_connections_closed_total', { reason: 'client_gone' }) > 0);
    });
  });

  it('logs a client in over three requests, and lets nobody else use its connection', async () => {
    const alice = await connect();
    const connection = await logIn(alice, 'alice');
    for (let turn = 0; turn < 8; turn++) {
      const stranger = await connect();
      const answer = await ask(stranger);
      assert.equal(answer.status, 401, answer.body);
      stranger.destroy();
      for (const method of ['GET', 'POST']) {
        assert.deepEqual(await ask(alice, '', { method }), { status: 200, body: 'alice', connection });
      }
    }
  });

  it('ends with its client, whose descriptor the next client gets', async () => {
    for (let turn = 0; turn < 10; turn++) {
      const alice = await connect();
      await logIn(alice, 'alice');
      alice.destroy();
      const next = await Promise.all([connect(), connect(), connect()]);
      for (const client of next) assert.equal((await ask(client)).status, 401);
      for (const client of next) client.destroy();
    }
  });

  it('tells several clients with the same address apart', async () => {
    const names = ['ann', 'bob', 'cid'];
    const open = await Promise.all(names.map(() => connect()));
    const connections: number[] = [];
    for (const [index, name] of names.entries()) connections.push(await logIn(open[index]!, name));
    for (let turn = 0; turn < 4; turn++) {
      const answers = await Promise.all(open.map((client) => ask(client)));
      assert.deepEqual(
        answers.map(({ body }) => body),
        names,
      );
      assert.deepEqual(
        answers.map(({ connection }) => connection),
        connections,
      );
    }
  });

  it('works in one step as for Kerberos, beside other routes on the same connection', async () => {
    const client = await connect();
    const first = await ask(client, 'Negotiate carol');
    assert.deepEqual([first.status, first.body], [200, 'carol']);
    assert.equal((await ask(client, 'Negotiate dora', { path: '/other' })).body, 'dora');
    client.write('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match((await client.head()).startLine, / 200 /);
    await client.bytes(5);
    assert.deepEqual(await ask(client), first);
    assert.equal((await ask(client, '', { path: '/other' })).body, 'dora');
  });

  it('logs curl in, with TLS and without, and nobody else can use its login', async () => {
    const output = ['--silent', '--insecure', '--output', '/dev/null', '--write-out', '%{http_code} '];
    for (const [scheme, listener] of [
      ['http', 'web'],
      ['https', 'secure'],
      ['http', 'web'],
    ] as const) {
      const url = `${scheme}://${rig.address(listener)}/curl`;
      const { stdout } = await runCommand('curl', [
        ...['--ntlm', '--user', 'gil:secret', ...output, url, ...output.slice(2, 4), url],
        ...['--next', '--anyauth', '--user', 'gil:secret', '--data', 'x', ...output, url],
      ]);
      assert.equal(stdout, '200 200 200 ');
      assert.equal((await ask(await connect())).status, 401);
    }
  });

  it('logs 200 clients in at once beside 300 idle ones, and each stays logged in', async () => {
    for (let count = 0; count < 300; count++) {
      const idle = await connect();
      idle.write('GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    const names = Array.from({ length: 200 }, (_, index) => `crowd${index}`);
    const crowd = await Promise.all(names.map(() => connect()));
    const path = '/other';
    const each = async (client: RawConnection, index: number): Promise<string> => {
      await ask(client, 'NTLM one', { path });
      await ask(client, `NTLM ${names[index]!}`, { path });
      return (await ask(client, '', { path })).body;
    };
    assert.deepEqual(await Promise.all(crowd.map(each)), names);
    const later = await Promise.all(crowd.map(async (client) => (await ask(client, '', { path })).body));
    assert.deepEqual(later, names);
  });

  it('lasts although the endpoint announces that it closes idle connections after a second', async () => {
    const client = await connect();
    const path = '/brief';
    assert.equal((await ask(client, 'NTLM one', { path })).status, 401);
    assert.equal((await ask(client, 'NTLM bev', { path })).body, 'bev');
    assert.equal((await ask(client, '', { path })).body, 'bev');
  });

  it('is assumed after a challenge of any status', async () => {
    const client = await connect();
    const first = await ask(client, '', { path: '/other/forbidden' });
    assert.equal(first.status, 403);
    const path = '/other/open';
    for (let turn = 0; turn < 4; turn++) {
      assert.notEqual((await ask(await connect(), '', { path })).connection, first.connection);
    }
    assert.equal((await ask(client, '', { path })).connection, first.connection);
  });

  it('gives way to others while only demands to log in have been answered', async () => {
    const honest = await connect();
    assert.equal((await logInAtOnce(honest, 'hal')).body, 'hal');
    for (let count = 0; count < 10; count++) {
      assert.equal((await ask(await connect(), 'NTLM one')).status, 401);
    }
    assert.equal((await ask(honest)).body, 'hal');
  });

  it('holds for a WebSocket on the same connection, which the session then has for itself', async () => {
    const client = await connect();
    assert.equal((await ask(client, 'NTLM one', { path: '/other' })).status, 401);
    assert.equal((await ask(client, 'NTLM wes', { path: '/other' })).body, 'wes');
    assert.equal(await upgrade(client), '101 wes');
    assert.deepEqual(await client.bytes(7), Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')]));
    assert.equal(await upgrade(await connect()), '401');
    assert.equal((await ask(await connect(), '', { path: '/other' })).status, 401);
    const metrics = await rig.scrape();
    assert.equal(metrics.sum('sluice_ws_sessions_active'), 1);
    assert.ok(metrics.sum('sluice_endpoint_connections_active', { cluster: 'other' }) >= 1);
    for (const each of clients.splice(0)) each.destroy();
    await eventually(async () => {
      const left = await rig.scrape();
      assert.equal(left.sum('sluice_ws_sessions_active'), 0);
      assert.equal(left.sum('sluice_http_bound_connections_active'), 0);
      assert.equal(left.sum('sluice_endpoint_connections_active', { cluster: 'other' }), 0);
    });
  });

  it('logs in over three upgrades on one connection, and nobody else can use its login', async () => {
    const client = await connect();
    assert.equal(await upgrade(client), '401');
    assert.equal(await upgrade(client, 'NTLM one'), '401');
    const stranger = await connect();
    assert.equal(await upgrade(stranger, 'NTLM xan'), '401');
    assert.equal(await upgrade(client, 'NTLM yve'), '101 yve');
  });

  it('ends when the endpoint closes after an upgrade', async () => {
    const client = await connect();
    assert.equal(await upgrade(client, 'NTLM one', '/other/close'), '401');
    assert.equal(await upgrade(client, 'NTLM zoe'), '401');
  });

  it('answers 502 to an upgrade that the endpoint resets, after one more connection at most', async () => {
    const client = await connect();
    assert.equal((await ask(client, 'Negotiate roy', { path: '/other' })).body, 'roy');
    const before = other.connections;
    assert.equal(await upgrade(client, '', '/other/reset'), '502');
    assert.equal(other.connections - before, 1);
  });

  for (const path of ['/few', '/narrow']) {
    it(`of others stays when one address floods a limit with logins that every page accepts: ${path}`, async () => {
      const names = ['ann', 'bob', 'cid'];
      const victims = await Promise.all(names.map(() => connect()));
      for (const [index, name] of names.entries()) {
        assert.equal((await ask(victims[index]!, `Negotiate ${name}`, { path })).body, name);
      }
      const flood = async (): Promise<number> => {
        const attacker = await connect('127.0.0.2');
        return (await ask(attacker, 'NTLM TlRM', { path: `${path}/open` })).status;
      };
      for (let count = 0; count < 12; count++) assert.equal(await flood(), 200);
      await Promise.all(Array.from({ length: 20 }, flood));
      const answers = await Promise.all(victims.map((client) => ask(client, '', { path })));
      assert.deepEqual(
        answers.map(({ body }) => body),
        names,
      );
      // The flood does not keep others out.
      assert.equal((await ask(await connect('127.0.0.3'), 'Negotiate new', { path })).body, 'new');
    });
  }

  for (const edit of ['set', 'add']) {
    it(`that a route logs in by "${edit}" is not for another client, nor for another route`, async () => {
      const client = await connect();
      const first = await ask(client, '', { path: `/login-${edit}` });
      assert.deepEqual([first.status, first.body], [200, edit]);
      for (const other of [await connect(), client]) {
        const answer = await ask(other, '', { path: '/other' });
        assert.deepEqual([answer.status, answer.body], [401, 'nobody']);
      }
      assert.deepEqual(await ask(client, '', { path: `/login-${edit}` }), first);
      assert.equal(await upgrade(client, '', `/login-${edit}`), `101 ${edit}`);
    });
  }

  it('is not made by credentials that the route removes', async () => {
    const path = '/anonymous/open';
    const first = await ask(await connect(), '', { path });
    const answer = await ask(await connect(), 'Negotiate mal', { path });
    assert.deepEqual([answer.body, answer.connection], ['nobody', first.connection]);
  });

  it('begins afresh if the endpoint closes', async () => {
    const client = await connect();
    await logIn(client, 'fay');
    for (const { open } of domains) for (const socket of open) socket.destroy();
    const again = await ask(client);
    assert.equal(again.status, 401);
    await logIn(client, 'fay');
  });
});
