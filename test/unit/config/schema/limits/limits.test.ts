import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LimitSettings } from '../../../../../src/config/types/limits.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';

function read(limits: string, ...more: readonly string[]): readonly LimitSettings[] {
  return l7Of(load(l7(`limits: ${limits}`, ...more))).limits;
}

function error(limits: string, ...more: readonly string[]): string {
  return (errorsOf(l7(`limits: ${limits}`, ...more))[0] ?? '').replace(/^5:\d+: /, '');
}

function l4(limit: string): string {
  return `
clusters: [{ name: app, endpoints: [{ address: 'a:1' }] }]
listeners: [{ name: tcp, mode: l4, address: ':1', cluster: app, limits: [${limit}] }]
`;
}

describe('limits', () => {
  it('have defaults except for a key and one bound', () => {
    assert.deepEqual(read('[{ key: address, connections: 100 }]'), [
      {
        name: 'address',
        key: { kind: 'address' },
        connections: 100,
        handshakes: null,
        requests: null,
        messages: null,
        bytes: null,
        over: 'close',
        isShared: false,
        maxKeys: 65_536,
      },
    ]);
    assert.deepEqual(read('[]'), []);
  });

  it('need a bound', () => {
    assert.equal(
      error('[{ key: address }]'),
      'a limit needs at least one of connections, handshakes, requests, messages, bytes',
    );
    assert.match(
      error('[{ key: address, connections: 0 }]'),
      /connections: 0 is out of range: write 1 to 100000000/,
    );
    assert.match(
      error('[{ key: address, maxKeys: 63, connections: 1 }]'),
      /maxKeys: 63 is out of range: write 64 to 4194304/,
    );
    assert.match(error('{ key: address }'), /a limit needs at least one of/);
    assert.match(error('5'), /limits: 5 is not a mapping: a limit has name, key/);
    const many = Array.from({ length: 17 }, () => '{ key: address, connections: 1 }').join(', ');
    assert.match(error(`[${many}]`), /17 limits are too many for one place: write 16 at most/);
  });

  it("of routes apply in addition to the listener's", () => {
    const text = l7(
      'limits: [{ key: address, connections: 1 }]',
      'routes: [{ match: {}, cluster: app, limits: [{ key: host, requests: 2/s }] }]',
    );
    const { limits, routes } = l7Of(load(text));
    assert.deepEqual(
      limits.map(({ name }) => name),
      ['address'],
    );
    assert.deepEqual(
      routes[0]?.limits.map(({ name }) => name),
      ['host'],
    );
  });

  it('close or slow clients that send too much', () => {
    assert.equal(read('[{ key: address, bytes: 1MiB/s, over: slow }]')[0]?.over, 'slow');
    assert.match(
      error('[{ key: address, requests: 1/s, over: close }]'),
      /over: over is for limits of messages or bytes/,
    );
    for (const [key, named] of [
      ['engine: uws', 'engine: uws'],
      ['websocket: { compression: shared }', 'websocket.compression: shared'],
    ] as const) {
      const slow = '{ key: address, messages: 1/s, over: slow }';
      const message =
        'over: only the engines raw and net can read less from a client, and the listener uses uws because of ' +
        `"${named}": write close`;
      assert.equal(error(`[${slow}]`, key), message);
      assert.match(
        errorsOf(l7(key, `routes: [{ match: {}, cluster: app, limits: [${slow}] }]`))[0] ?? '',
        /only the engines raw/,
      );
      assert.equal(read('[{ key: address, messages: 1/s }]', key)[0]?.over, 'close');
    }
  });

  it('are shared only with Redis', () => {
    const shared = l7('limits: [{ key: address, requests: 1/s, shared: true }]');
    assert.deepEqual(errorsOf(shared), [
      '5:53: shared: a shared limit is counted in Redis: set redis.url, or leave shared out',
    ]);
    const loaded = load(`${shared}redis: { url: 'redis://127.0.0.1' }\n`);
    assert.equal(l7Of(loaded).limits[0]?.isShared, true);
    assert.equal(l7Of(load(shared, { env: { SLUICE_REDIS_URL: 'redis://a' } })).limits[0]?.isShared, true);
  });

  it('at layer 4 are by address, on connections', () => {
    const [listener] = load(l4('{ key: address, connections: 5, handshakes: 10/s, burst: 20 }')).config
      .listeners;
    assert.deepEqual(listener?.limits[0]?.handshakes, { perSecond: 10, burst: 20 });
    assert.match(
      errorsOf(l4('{ key: principal, connections: 1 }'))[0] ?? '',
      /key: at layer 4 only the address of a client is known/,
    );
    for (const key of ['requests: 1/s', 'messages: 1/s', 'bytes: 1B/s', 'over: close']) {
      const [found = ''] = errorsOf(l4(`{ key: address, connections: 1, ${key} }`));
      assert.match(
        found,
        /needs a listener of mode l7: at layer 4 only connections and handshakes are counted/,
      );
    }
    assert.match(errorsOf(l4('{ key: address }'))[0] ?? '', /needs at least one of connections, handshakes$/);
  });

  it('cause a warning if they never count anything', () => {
    const claim = '{ key: { claim: sub }, requests: 1/s }';
    assert.deepEqual(warningsOf(l7(`limits: [${claim}]`)), [
      '5:16: no request has claims here, so nothing is limited: set access.jwt, or use another key',
    ]);
    const jwt = 'access: { jwt: { keys: "https://a.example", issuer: a, audience: b } }';
    assert.deepEqual(warningsOf(l7('address: 127.0.0.1:1', `limits: [${claim}]`, jwt)), []);
    const open = `routes: [{ match: {}, cluster: app, access: 'off', limits: [${claim}] }]`;
    assert.match(
      warningsOf(l7('address: 127.0.0.1:1', jwt, open))[0] ?? '',
      /^7:\d+: no request has claims here/,
    );
    const respond = 'routes: [{ match: {}, respond: {}, limits: [{ key: address, messages: 1/s }] }]';
    assert.match(
      warningsOf(`listeners: [{ name: web, mode: l7, address: ':1', ${respond} }]`)[0] ?? '',
      /nothing here opens WebSockets, so no messages are counted: limit requests instead/,
    );
  });
});
