/** Which sessions a tap watches: by each filter, by several at once, and by a sample. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { SessionsAnswer } from '../../../src/protocol/admin/answers.ts';
import { eventually } from '../../support/deadline.ts';
import { TapStream, type TapParameters } from '../../support/recording/tap-stream.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const KEY = randomBytes(32);
const SAMPLED = 400;

function jwtOf(user: string): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ sub: user, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${text}.${createHmac('sha256', KEY).update(text).digest('base64url')}`;
}

/** Where a client connects, its address, and its user. */
interface Visit {
  readonly listener: 'first' | 'second';
  readonly path: '/a' | '/b' | '/who';
  readonly user?: string;
  readonly from?: string;
}

const VISITS: readonly Visit[] = [
  { listener: 'first', path: '/a' },
  { listener: 'first', path: '/b', from: '127.0.0.2' },
  { listener: 'second', path: '/a', from: '127.0.0.2' },
  { listener: 'second', path: '/b' },
  { listener: 'first', path: '/who', user: 'ada' },
  { listener: 'second', path: '/who', user: 'bob' },
  { listener: 'second', path: '/who', user: 'ada', from: '127.0.0.3' },
];

describe('tap filters', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-filters-'));
  const endpoints = {} as Record<'a' | 'b', WsEndpoint>;
  const clients: WsPeer[] = [];
  const taps: TapStream[] = [];
  let rig: WebRig;

  before(async () => {
    const keys = join(directory, 'jwks.json');
    writeFileSync(
      keys,
      JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: KEY.toString('base64url') }] }),
    );
    for (const name of ['a', 'b'] as const) endpoints[name] = await WsEndpoint.listen();
    const jwt = { keys, algorithms: ['HS256'], from: [{ header: 'authorization' }] };
    const routes = [
      { name: 'to-a', match: { path: '/a' }, cluster: 'a' },
      { name: 'to-b', match: { path: '/b' }, cluster: 'b' },
      { name: 'known', match: { path: '/who' }, cluster: 'b', access: { jwt } },
    ];
    rig = await WebRig.start({
      workers: { l7: 2 },
      admin: { token: TOKEN, tap: 'headers' },
      listeners: { first: { routes }, second: { engine: 'uws', routes } },
      clusters: {
        a: { endpoints: [endpoints.a.address] },
        b: { endpoints: [endpoints.b.address] },
      },
    });
  });
  afterEach(async () => {
    for (const tap of taps.splice(0)) await tap.close();
    for (const { socket } of clients.splice(0)) socket.terminate();
    await rig.settled();
  });
  after(async () => {
    for (const endpoint of Object.values(endpoints)) endpoint.close();
    rmSync(directory, { recursive: true });
    await rig.stop();
  });

  async function open(parameters: TapParameters): Promise<TapStream> {
    const tap = await TapStream.open(rig.sluice.admin, parameters, { token: TOKEN });
    taps.push(tap);
    return tap;
  }

  async function list(query: string): Promise<SessionsAnswer> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (
      await fetch(`http://${rig.sluice.admin}/sessions${query}`, { headers })
    ).json() as Promise<SessionsAnswer>;
  }

  async function visit({ listener, path, user, from }: Visit): Promise<WsPeer> {
    const client = await WsPeer.connect(`ws://${rig.address(listener)}${path}`, {
      ...(user === undefined ? {} : { headers: { authorization: `Bearer ${jwtOf(user)}` } }),
      ...(from === undefined ? {} : { localAddress: from }),
    });
    clients.push(client);
    return client;
  }

  const filters: readonly [TapParameters, (visit: Visit) => boolean][] = [
    [{}, () => true],
    [{ listener: 'second' }, ({ listener }) => listener === 'second'],
    [{ route: 'to-b' }, ({ path }) => path === '/b'],
    [{ cluster: 'b' }, ({ path }) => path !== '/a'],
    [{ client: '127.0.0.2' }, ({ from }) => from === '127.0.0.2'],
    [{ principal: 'jwt:ada' }, ({ user }) => user === 'ada'],
    [{ principal: 'ada' }, ({ user }) => user === 'ada'],
    [{ principal: 'eve' }, () => false],
    [
      { principal: 'ada', listener: 'second', client: '127.0.0.3' },
      ({ user, listener }) => user === 'ada' && listener === 'second',
    ],
    [{ route: 'to-a', cluster: 'b' }, () => false],
  ];

  it('apply to new and to open sessions', async () => {
    // At most 8 taps at a time.
    const half = Math.ceil(filters.length / 2);
    for (const some of [filters.slice(0, half), filters.slice(half)]) {
      const early = await Promise.all(some.map(([parameters]) => open(parameters)));
      for (const one of VISITS) await visit(one);
      await check(some, early, false);
      for (const tap of taps.splice(0)) await tap.close();
      const late = await Promise.all(some.map(([parameters]) => open(parameters)));
      await check(some, late, true);
      for (const tap of taps.splice(0)) await tap.close();
      for (const { socket } of clients.splice(0)) socket.terminate();
      await rig.settled();
    }
  });

  async function check(some: typeof filters, opened: readonly TapStream[], attached: boolean): Promise<void> {
    for (const [index, [parameters, isWanted]] of some.entries()) {
      const wanted = VISITS.filter(isWanted).map(placeOf).sort();
      const tap = opened[index]!;
      let left = wanted.length;
      if (left > 0) await tap.next('session', () => --left === 0);
      const shown = tap
        .of('session')
        .map(({ listener, route, principal, client }) => [listener, route, principal, client].join(' '));
      assert.deepEqual(shown.sort(), wanted, JSON.stringify(parameters));
      assert.ok(tap.of('session').every((session) => (session.attached === true) === attached));
      assert.deepEqual(tap.of('tap')[0]!.filter, parameters);
    }
  }

  it('select the sessions of an endpoint, or one session by its id', async () => {
    for (const one of VISITS) await visit(one);
    const byEndpoint = await open({ endpoint: endpoints.a.address });
    let left = 2;
    await byEndpoint.next('session', () => --left === 0);
    assert.ok(byEndpoint.of('session').every(({ cluster }) => cluster === 'a'));
    const { sessions } = await list('?principal=bob');
    const { id } = sessions[0]!;
    const byId = await open({ session: id });
    const session = await byId.next('session');
    assert.deepEqual([session.session, session.principal], [id, 'jwt:bob']);
    assert.equal(byId.of('session').length, 1);
    clients[5]!.socket.send('hello');
    const frame = await byId.next('frame');
    assert.deepEqual([frame.session, frame.opcode, frame.length, frame.text], [id, 'text', 5, undefined]);
  });

  it('hide payloads and close reasons unless the tap requests them', async () => {
    const tap = await open({ listener: 'first' });
    endpoints.a.sessions.forget();
    const { client, endpoint } = await rig.join(endpoints.a, { listener: 'first', path: '/a' });
    client.socket.send('planted-payload');
    client.socket.ping('planted-ping');
    await endpoint.messages.next();
    client.socket.close(4002, 'planted-reason');
    const end = await tap.next('end');
    assert.equal(end.code, 4002);
    assert.equal(tap.of('frame').find(({ opcode }) => opcode === 'close')!.code, 4002);
    assert.ok(!tap.raw.includes('planted'), tap.raw);
  });

  it('select a sample of the sessions, with all of their frames', async () => {
    const some = await open({ sample: '25%', client: '127.0.0.4' });
    const all = await open({ client: '127.0.0.4' });
    for (let opened = 0; opened < SAMPLED; opened += 40)
      await Promise.all(
        Array.from({ length: 40 }, async () => {
          const client = await visit({ listener: 'first', path: '/a', from: '127.0.0.4' });
          client.socket.send('1');
          client.socket.send('2');
          client.socket.close(1000);
          await client.closed();
        }),
      );
    // A worker that has no time for a new session omits it, and reports it as lost.
    const left = (tap: TapStream): number => tap.of('lost').reduce((sum, { sessions }) => sum + sessions, 0);
    await eventually(() => assert.equal(all.of('end').length + left(all), SAMPLED));
    await eventually(() => assert.equal(some.of('end').length, some.of('session').length));
    const sampled = some.of('session').length + left(some);
    // 52 is six standard deviations of a binomial distribution with n = 400 and p = 1/4.
    assert.ok(Math.abs(sampled - SAMPLED / 4) < 52, `${sampled} of ${SAMPLED}`);
    if (some.of('lost').length === 0)
      assert.equal(some.of('frame').filter(({ opcode }) => opcode === 'text').length, 2 * sampled);
    assert.equal(some.of('tap')[0]!.sample, 0.25);
  });
});

function placeOf({ listener, path, user, from = '127.0.0.1' }: Visit): string {
  const route = { '/a': 'to-a', '/b': 'to-b', '/who': 'known' }[path];
  return [listener, route, user === undefined ? `address:${from}` : `jwt:${user}`, from].join(' ');
}
