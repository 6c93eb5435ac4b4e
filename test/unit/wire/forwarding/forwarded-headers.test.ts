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
  readonly host?: string;
  readonly prefix?: string;
  readonly style?: 'x' | 'rfc7239' | 'both';
}

function forward(circumstances: Circumstances, ...headers: string[]): Forwarded {
  const { peer, secure = false, host = 'example.com:8443', prefix = '', style } = circumstances;
  const head = { method: 'GET', path: '/', query: '', headers: ['host', host, ...headers] };
  const connection = { peer, port: 8080, secure, certificate: null, vpcEndpointId: null };
  const trusted = (address: string): boolean => address.startsWith('10.') || address === 'fd00::1';
  const client = identifyClient(head, connection, trusted, () => NEW_ID, null);
  return {
    clientAddress: client.address,
    requestId: client.requestId,
    headers: forwardedHeaders(head, client, connection, prefix, style),
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

describe('forwarding headers for a direct client', () => {
  it('describe the connection', () => {
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

  it('omit X-Forwarded-Host if its host would read as a list', () => {
    const forwarded = forward({ peer: CLIENT, host: 'evil.example,app.example', style: 'both' });
    assert.deepEqual(sent(forwarded, 'x-forwarded-host'), []);
    assert.match(sent(forwarded, 'forwarded')[0] ?? '', /;host="evil\.example,app\.example";/);
  });

  it('ignore what the client claims', () => {
    assert.deepEqual(forward({ peer: CLIENT }, ...SPOOFED), forward({ peer: CLIENT }));
  });

  it('cover exactly the client headers that the encoder drops', () => {
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

describe('forwarding headers for a client behind a trusted proxy', () => {
  it('add the proxy to what it reports', () => {
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
      ...['x-forwarded-client-cert', 'Hash=ab'],
      ...['x-forwarded-user', 'alice'],
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
        ...['X-Forwarded-Prefix', '/app'],
        ...['X-Request-Id', 'abc-1.2:3/4+5=_'],
        ...['forwarded', 'for=203.0.113.7'],
        ...['x-forwarded-user', 'alice'],
      ],
    });
  });

  it('describe the connection if the proxy reports nothing or an empty value', () => {
    const silent = forward({ peer: PROXY });
    assert.deepEqual(sent(silent, 'x-forwarded-port'), ['8443']);
    assert.deepEqual(sent(silent, 'x-forwarded-for'), [PROXY]);
    assert.equal(silent.clientAddress, PROXY);
    assert.equal(silent.requestId, NEW_ID);
    const empty = ['for', 'proto', 'host', 'port'].flatMap((name) => [`x-forwarded-${name}`, '']);
    assert.deepEqual(forward({ peer: PROXY }, ...empty, 'x-request-id', ''), silent);
  });

  it('never repeat a header', () => {
    const forwarded = forward({ peer: PROXY }, ...SPOOFED, ...SPOOFED);
    for (const name of ['for', 'proto', 'host', 'port'].map((last) => `x-forwarded-${last}`)) {
      assert.equal(sent(forwarded, name).length, 1, name);
    }
    assert.equal(sent(forwarded, 'x-real-ip').length, 1);
    assert.equal(sent(forwarded, 'x-request-id').length, 1);
    assert.deepEqual(sent(forwarded, 'x-forwarded-for'), [`1.2.3.4, 5.6.7.8, 1.2.3.4, 5.6.7.8, ${PROXY}`]);
  });

  const ids = ['', 'a b', 'a"b', 'a\tb', 'é', 'a,b', 'a;b', '<script>', 'x'.repeat(129), '{}'];
  for (const id of ids) {
    it(`replace a request ID such as ${JSON.stringify(id)}`, () => {
      const forwarded = forward({ peer: PROXY }, 'x-request-id', id);
      assert.equal(forwarded.requestId, NEW_ID);
      assert.deepEqual(sent(forwarded, 'x-request-id'), [NEW_ID]);
    });
  }

  it('keep a request ID of 128 characters', () => {
    assert.equal(forward({ peer: PROXY }, 'x-request-id', 'x'.repeat(128)).requestId, 'x'.repeat(128));
  });
});

describe('the port that the client used', () => {
  const port = (circumstances: Partial<Circumstances>, ...headers: string[]): string[] =>
    sent(forward({ peer: PROXY, host: 'example.com', ...circumstances }, ...headers), 'x-forwarded-port');
  const HTTPS = ['x-forwarded-proto', 'https'];

  it('is what a trusted proxy reports', () => {
    assert.deepEqual(port({ host: 'example.com:1' }, 'x-forwarded-port', '8444', ...HTTPS), ['8444']);
  });

  it('is otherwise the port of the host that the proxy reports', () => {
    assert.deepEqual(port({ host: 'example.com:9443' }, ...HTTPS), ['9443']);
    assert.deepEqual(port({ host: '[2001:db8::1]:9443' }, ...HTTPS), ['9443']);
    assert.deepEqual(port({ host: 'a:1' }, 'x-forwarded-host', 'b.example:2', ...HTTPS), ['2']);
    assert.deepEqual(port({ host: 'a:1' }, 'forwarded', 'for=1.2.3.4;host="b.example:2"'), ['2']);
  });

  it("is otherwise the default of the scheme that the proxy reports, never the listener's", () => {
    assert.deepEqual(port({}, ...HTTPS), ['443']);
    assert.deepEqual(port({}, 'x-forwarded-proto', 'wss'), ['443']);
    assert.deepEqual(port({ secure: true }, 'x-forwarded-proto', 'http'), ['80']);
    assert.deepEqual(port({ host: '[2001:db8::1]' }, 'x-forwarded-proto', 'ws'), ['80']);
    assert.deepEqual(port({}, 'forwarded', 'for=1.2.3.4;proto=https'), ['443']);
    assert.deepEqual(port({ host: '10.0.0.5:8080' }, ...HTTPS), ['443']);
  });

  it("is the listener's without a report, and for other clients", () => {
    assert.deepEqual(port({}), ['8080']);
    assert.deepEqual(port({ peer: CLIENT, host: 'example.com:1' }, 'x-forwarded-port', '2', ...HTTPS), [
      '8080',
    ]);
  });

  it('ignores an invalid port', () => {
    for (const bad of ['0', '65536', '-1', '1e3', '443a', ' ', '443\u00a0']) {
      assert.deepEqual(port({}, 'x-forwarded-port', bad, ...HTTPS), ['443'], bad);
    }
  });
});

describe('X-Forwarded-Prefix', () => {
  const prefix = (circumstances: Partial<Circumstances>, ...headers: string[]): string[] =>
    sent(forward({ peer: PROXY, ...circumstances }, ...headers), 'x-forwarded-prefix');

  it("is the prefix that the route removes, and ignores an untrusted client's header", () => {
    assert.deepEqual(prefix({ prefix: '/api' }), ['/api']);
    assert.deepEqual(prefix({ peer: CLIENT, prefix: '/api' }, 'x-forwarded-prefix', '/evil'), ['/api']);
    assert.deepEqual(prefix({ peer: CLIENT }, 'x-forwarded-prefix', '/evil'), []);
    assert.deepEqual(prefix({ prefix: '/api/' }), ['/api']);
    assert.deepEqual(prefix({}), []);
  });

  it("is added to a trusted proxy's own", () => {
    assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', '/app'), ['/app/api']);
    assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', '/app/'), ['/app/api']);
    assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', '/a, /b'), ['/a/b/api']);
    assert.deepEqual(prefix({}, 'x-forwarded-prefix', '/app'), ['/app']);
    assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', '/'), ['/api']);
  });

  it('never leads to another host', () => {
    for (const bad of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'x',
      '/a b',
      '/é',
      '/a, //b',
    ]) {
      assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', bad), ['/api'], bad);
    }
  });

  it('is a path of RFC 3986 without dot segments', () => {
    const good = "/A-._~0/!$&'()*+;=:@/%C3%a9/..a/b..";
    assert.deepEqual(prefix({}, 'x-forwarded-prefix', good), [good]);
    for (const bad of [
      ...['/../a', '/a/..', '/./a', '/a/.', '/%2e%2E/a', '/a/.%2e', '/..%2fa', '/a%5c../b', '/..;x/a'],
      ...[
        '/a?b',
        '/a#b',
        '/<script>',
        '/a"b',
        '/a\\b',
        '/a|b',
        '/a%',
        '/a%2',
        '/a%zz',
        '/a{b}',
        '/a^b',
        '/[a]',
      ],
    ]) {
      assert.deepEqual(prefix({ prefix: '/api' }, 'x-forwarded-prefix', bad), ['/api'], bad);
    }
  });

  it('belongs to X-Forwarded-*', () => {
    assert.deepEqual(prefix({ style: 'rfc7239', prefix: '/api' }), []);
    assert.deepEqual(prefix({ style: 'both', prefix: '/api' }), ['/api']);
  });
});

describe('the upstream chain', () => {
  const chain = (...headers: string[]): string[] =>
    sent(forward({ peer: PROXY }, ...headers), 'x-forwarded-for');
  const forwarded = (...headers: string[]): string[] =>
    sent(forward({ peer: PROXY, style: 'rfc7239' }, ...headers), 'forwarded');

  it('is the received chain, with ports and quotes, plus the peer', () => {
    const came = '203.0.113.7:51008, "[2001:db8::1]:4443", unknown';
    assert.deepEqual(chain('x-forwarded-for', came), [`${came}, ${PROXY}`]);
  });

  it('is built from `Forwarded` or X-Real-IP if a proxy sends nothing else', () => {
    const came = 'for="[2001:db8::1]:4711", For=_hidden, for=203.0.113.7:80';
    assert.deepEqual(chain('forwarded', came), [`2001:db8::1, _hidden, 203.0.113.7, ${PROXY}`]);
    const quoted = 'for="x, 10.0.0.9", for="\\", 10.0.0.9", for=203.0.113.7';
    assert.deepEqual(chain('forwarded', quoted), [`unknown, unknown, 203.0.113.7, ${PROXY}`]);
    assert.deepEqual(chain('x-real-ip', '::ffff:203.0.113.7'), [`203.0.113.7, ${PROXY}`]);
    assert.deepEqual(chain('x-real-ip', 'somebody'), [PROXY]);
  });

  it('has the nearest 100 hops of a longer one', () => {
    const hops = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    assert.deepEqual(chain('x-forwarded-for', hops.join(',')), [[...hops.slice(-100), PROXY].join(', ')]);
  });

  it('is converted to `Forwarded` from X-Forwarded-For', () => {
    assert.deepEqual(
      forwarded('x-forwarded-for', '?, [2001:db8::1]:1, 10.0.0.2', 'x-forwarded-proto', 'https'),
      [
        'for=unknown, for="[2001:db8::1]";host="example.com:8443";proto=https, for=10.0.0.2, ' +
          'for=10.0.0.1;host="example.com:8443";proto=https',
      ],
    );
  });

  it('keeps a `Forwarded` that names the same client, and drops any other', () => {
    const own = 'for=10.0.0.1;host="example.com:8443";proto=http';
    const xff = ['x-forwarded-for', CLIENT];
    const same = `for="${CLIENT}:1";by=10.0.0.1`;
    assert.deepEqual(forwarded(...xff, 'forwarded', same), [same, own]);
    const written = `for=${CLIENT};host="example.com:8443";proto=http, ${own}`;
    assert.deepEqual(forwarded(...xff, 'forwarded', 'for=1.2.3.4'), [written]);
    assert.deepEqual(sent(forward({ peer: PROXY }, ...xff, 'forwarded', 'for=1.2.3.4'), 'forwarded'), []);
  });
});
