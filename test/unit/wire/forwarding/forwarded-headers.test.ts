import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identifyClient } from '../../../../src/wire/forwarding/client-identity.ts';
import { forwardedHeaders, isForwardingName } from '../../../../src/wire/forwarding/forwarded-headers.ts';

interface Forwarded {
  readonly clientAddress: string;
  readonly requestId: string;
  /** name, value, name, value ... as they go upstream. */
  readonly headers: readonly string[];
}

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.7';
const NEW_ID = 'made-here';

interface Circumstances {
  readonly peer: string;
  readonly secure?: boolean;
}

function forward({ peer, secure = false }: Circumstances, ...headers: string[]): Forwarded {
  const head = { method: 'GET', path: '/', query: '', headers: ['host', 'example.com:8443', ...headers] };
  const connection = { address: peer, port: 8080, secure };
  const trusted = (address: string): boolean => address.startsWith('10.') || address === 'fd00::1';
  const client = identifyClient(head, connection, trusted, () => NEW_ID);
  return {
    clientAddress: client.address,
    requestId: client.requestId,
    headers: forwardedHeaders(head, client, connection),
  };
}

/** All values of a name among the headers that go upstream, whatever its case. */
function sent(forwarded: Forwarded, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < forwarded.headers.length; index += 2) {
    if (forwarded.headers[index]!.toLowerCase() === name) values.push(forwarded.headers[index + 1]!);
  }
  return values;
}

const SPOOFED = [
  ...['x-forwarded-for', '1.2.3.4'],
  ...['x-forwarded-for', '5.6.7.8'],
  ...['x-forwarded-proto', 'https'],
  ...['x-forwarded-host', 'bank.example'],
  ...['x-forwarded-port', '443'],
  ...['x-real-ip', '1.2.3.4'],
  ...['x-request-id', 'spoofed'],
  ...['forwarded', 'for=1.2.3.4'],
  ...['x-forwarded-prefix', '/admin'],
  ...['x-forwarded-client-cert', 'spoofed'],
];

describe('what an endpoint is told of a client that comes by itself', () => {
  it('is what the connection says', () => {
    assert.deepEqual(forward({ peer: CLIENT }), {
      clientAddress: CLIENT,
      requestId: NEW_ID,
      headers: [
        ...['X-Forwarded-For', CLIENT],
        ...['X-Forwarded-Proto', 'http'],
        ...['X-Forwarded-Host', 'example.com:8443'],
        ...['X-Forwarded-Port', '8080'],
        ...['X-Real-IP', CLIENT],
        ...['X-Request-Id', NEW_ID],
      ],
    });
    assert.deepEqual(sent(forward({ peer: CLIENT, secure: true }), 'x-forwarded-proto'), ['https']);
  });

  it('is nothing that it says itself', () => {
    assert.deepEqual(forward({ peer: CLIENT }, ...SPOOFED), forward({ peer: CLIENT }));
  });

  it('is what the encoder then leaves out of the headers of the client', () => {
    for (let index = 0; index < SPOOFED.length; index += 2) {
      assert.equal(isForwardingName(SPOOFED[index]!), true, SPOOFED[index]);
    }
    for (const name of [
      'x-forwarded',
      'x-real',
      'x-request',
      'host',
      'via',
      'x-real-ip-2',
      'forwarded-for',
    ]) {
      assert.equal(isForwardingName(name), false, name);
    }
  });
});

describe('what an endpoint is told of a client behind a trusted proxy', () => {
  it('is what the proxy says, and the proxy', () => {
    const forwarded = forward(
      { peer: PROXY },
      ...['x-forwarded-for', CLIENT],
      ...['x-forwarded-proto', 'https'],
      ...['x-forwarded-host', 'public.example'],
      ...['x-forwarded-port', '443'],
      ...['x-request-id', 'abc-1.2:3/4+5=_'],
      ...['x-real-ip', '9.9.9.9'],
      ...['forwarded', 'for=203.0.113.7'],
      ...['x-forwarded-prefix', '/app'],
    );
    assert.deepEqual(forwarded, {
      clientAddress: CLIENT,
      requestId: 'abc-1.2:3/4+5=_',
      headers: [
        ...['X-Forwarded-For', `${CLIENT}, ${PROXY}`],
        ...['X-Forwarded-Proto', 'https'],
        ...['X-Forwarded-Host', 'public.example'],
        ...['X-Forwarded-Port', '443'],
        ...['X-Real-IP', CLIENT],
        ...['X-Request-Id', 'abc-1.2:3/4+5=_'],
        ...['forwarded', 'for=203.0.113.7'],
        ...['x-forwarded-prefix', '/app'],
      ],
    });
  });

  it('is what the connection says where the proxy says nothing, or says it with nothing', () => {
    const silent = forward({ peer: PROXY });
    assert.deepEqual(sent(silent, 'x-forwarded-for'), [PROXY]);
    assert.equal(silent.clientAddress, PROXY);
    assert.equal(silent.requestId, NEW_ID);
    const empty = ['for', 'proto', 'host', 'port'].flatMap((name) => [`x-forwarded-${name}`, '']);
    assert.deepEqual(forward({ peer: PROXY }, ...empty, 'x-request-id', ''), silent);
  });

  it('never repeats a header of ours', () => {
    const forwarded = forward({ peer: PROXY }, ...SPOOFED, ...SPOOFED);
    for (const name of ['for', 'proto', 'host', 'port'].map((last) => `x-forwarded-${last}`)) {
      assert.equal(sent(forwarded, name).length, 1, name);
    }
    assert.equal(sent(forwarded, 'x-real-ip').length, 1);
    assert.equal(sent(forwarded, 'x-request-id').length, 1);
    assert.deepEqual(sent(forwarded, 'x-forwarded-for'), [`1.2.3.4, 5.6.7.8, 1.2.3.4, 5.6.7.8, ${PROXY}`]);
  });

  it('leaves out a name with an underscore', () => {
    assert.deepEqual(sent(forward({ peer: PROXY }, 'x-forwarded-a_b', '1'), 'x-forwarded-a_b'), []);
  });

  const ids = ['', 'a b', 'a"b', 'a\tb', 'é', 'a,b', 'a;b', '<script>', 'x'.repeat(129), '{}'];
  for (const id of ids) {
    it(`does not take over a request id such as ${JSON.stringify(id)}`, () => {
      const forwarded = forward({ peer: PROXY }, 'x-request-id', id);
      assert.equal(forwarded.requestId, NEW_ID);
      assert.deepEqual(sent(forwarded, 'x-request-id'), [NEW_ID]);
    });
  }

  it('takes over a request id of 128 characters', () => {
    assert.equal(forward({ peer: PROXY }, 'x-request-id', 'x'.repeat(128)).requestId, 'x'.repeat(128));
  });
});

describe("the client's address", () => {
  const cases: readonly (readonly [what: string, client: string, chain: readonly string[]])[] = [
    ['the last of the chain', CLIENT, [CLIENT]],
    ['the last of the chain that is not ours', CLIENT, [`${CLIENT}, 10.0.0.3, 10.0.0.2`]],
    ['never what a stranger claims', CLIENT, [`1.2.3.4, 10.9.9.9, ${CLIENT}, 10.0.0.2`]],
    ['found over several lines', CLIENT, ['1.2.3.4', CLIENT, '10.0.0.2, 10.0.0.3']],
    ['the first of the chain where all of it is ours', '10.0.0.9', ['10.0.0.9, 10.0.0.2']],
    ['an IPv6 address as well', '2001:db8::7', ['2001:db8::7, fd00::1']],
    ['not beyond what is no address', '10.0.0.2', [`${CLIENT}, unknown, 10.0.0.2`]],
    ['not an address with a port', PROXY, [`${CLIENT}:4711`]],
    ['not an address in brackets', PROXY, ['[2001:db8::7]']],
    ['not a name', PROXY, ['localhost']],
    ['found past empty members', CLIENT, [`${CLIENT},, ,10.0.0.2,`]],
  ];
  for (const [what, client, chain] of cases) {
    it(`is ${what}`, () => {
      const forwarded = forward({ peer: PROXY }, ...chain.flatMap((line) => ['x-forwarded-for', line]));
      assert.equal(forwarded.clientAddress, client);
      assert.deepEqual(sent(forwarded, 'x-real-ip'), [client]);
      const whole = sent(forwarded, 'x-forwarded-for')[0]!;
      assert.ok(whole.endsWith(PROXY), whole);
    });
  }
});
