import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { identifyClient, type ClientIdentity } from '../../../../src/wire/forwarding/client-identity.ts';
import { forwardedHeaders } from '../../../../src/wire/forwarding/forwarded-headers.ts';
import { hasControlCharacter } from '../../../../src/wire/http/field-value.ts';

const PROXY = '10.0.0.1';
const CLIENT = '203.0.113.7';
const CLIENT_6 = '2001:db8::1';

const trusted = (address: string): boolean => address.startsWith('10.') || address === 'fd00::1';

function identify(headers: readonly string[], peer = PROXY, secure = false): ClientIdentity {
  const head = { method: 'GET', path: '/', query: '', headers: ['host', 'example.com', ...headers] };
  return identifyClient(
    head,
    { peer, port: 8080, secure, certificate: null, vpcEndpointId: null },
    trusted,
    () => 'made-here',
    null,
  );
}

const lines = (name: string, values: readonly string[]): string[] => values.flatMap((value) => [name, value]);

/** 16 parameters. */
const MANY = Array.from({ length: 16 }, (_, index) => `p${index}=1`).join(';');

type Row = readonly [what: string, client: string, ...lines: string[]];

describe("the client's address in X-Forwarded-For", () => {
  const rows: readonly Row[] = [
    ['is the last of the chain', CLIENT, CLIENT],
    ['is the last of the chain that is not ours', CLIENT, `${CLIENT}, 10.0.0.3, 10.0.0.2`],
    ['is never what a stranger claims', CLIENT, `1.2.3.4, 10.9.9.9, ${CLIENT}, 10.0.0.2`],
    ['is found over several lines', CLIENT, '1.2.3.4', CLIENT, '10.0.0.2, 10.0.0.3'],
    ['is the first of the chain if all of it is ours', '10.0.0.9', '10.0.0.9, 10.0.0.2'],
    ['is found past empty members', CLIENT, `${CLIENT},, ,10.0.0.2,`],
    ['may have a port', CLIENT, `${CLIENT}:51008`],
    ['may be IPv6', CLIENT_6, `${CLIENT_6}, fd00::1`],
    ['may be IPv6 in brackets', CLIENT_6, `[${CLIENT_6}]`],
    ['may be IPv6 in brackets with a port', CLIENT_6, `[${CLIENT_6}]:4443`],
    ['may be quoted', CLIENT, `"${CLIENT}"`],
    ['may be quoted with a port', CLIENT_6, `"[${CLIENT_6}]:4443"`],
    ['is in the one form of IPv6', CLIENT_6, '2001:0DB8:0:0::0001'],
    ['is IPv4 if it is mapped', CLIENT, `::ffff:${CLIENT}`],
    ['is IPv4 if it is mapped, in brackets with a port', CLIENT, `[::ffff:${CLIENT}]:4443`],
    ['is IPv4 if it is mapped in hexadecimal', CLIENT, '::ffff:cb00:7107'],
    ['has no zone', 'fe80::1', 'fe80::1%eth0'],
    ['is behind a hop with a port', CLIENT, `${CLIENT}, 10.0.0.2:4711`],
    ['is behind a hop with a mapped address and a port', CLIENT, `${CLIENT}, [::ffff:10.0.0.2]:4711`],
    ['is behind a hop in brackets', CLIENT, `${CLIENT}:1, [fd00::1]:2, 10.0.0.2:3`],
    ['is behind a hop with a zone', CLIENT, `${CLIENT}, fd00::1%eth0`],
    ['is not beyond what is no address', '10.0.0.2', `${CLIENT}, unknown, 10.0.0.2`],
    ['is not beyond a quote that a client has left open', CLIENT, `for="x, ", ${CLIENT}, 10.0.0.2`],
    ['is not a name', PROXY, 'localhost'],
    ['is not a name with a port', PROXY, 'localhost:80'],
    ['is not an address with a bad port', PROXY, `${CLIENT}:x`],
    ['is not an address with a port that is too long', PROXY, `${CLIENT}:123456`],
    ['is not an address with something behind it', PROXY, `[${CLIENT_6}]x`],
    ['is not an IPv4 address in brackets', PROXY, `[${CLIENT}]`],
    ['is not an address in an open bracket', PROXY, `[${CLIENT_6}`],
    ['is not an address with leading zeros', PROXY, '203.0.113.007'],
    ['is not an address with a path', PROXY, `${CLIENT}/32`],
  ];
  for (const [what, client, ...values] of rows) {
    it(what, () => assert.equal(identify(lines('x-forwarded-for', values)).address, client));
  }

  it('is the peer if the peer is not a trusted proxy', () => {
    for (const name of ['x-forwarded-for', 'x-real-ip']) {
      assert.equal(identify([name, CLIENT], '192.0.2.1').address, '192.0.2.1');
    }
    assert.equal(identify(['forwarded', `for=${CLIENT}`], '192.0.2.1').address, '192.0.2.1');
  });

  it('is not searched for beyond 100 hops', () => {
    const ours = Array.from({ length: 1000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
    assert.equal(identify(['x-forwarded-for', [CLIENT, ...ours].join()]).address, ours.at(-100));
    assert.equal(identify(['x-forwarded-for', [CLIENT, ...ours.slice(-99)].join()]).address, CLIENT);
  });
});

describe("the client's address in Forwarded", () => {
  const rows: readonly Row[] = [
    ['is the value of for', CLIENT, `for=${CLIENT}`],
    ['may be quoted', CLIENT, `for="${CLIENT}"`],
    ['may have a port', CLIENT, `for="${CLIENT}:4711"`],
    ['may have a port without quotes', CLIENT, `for=${CLIENT}:4711`],
    ['may have a hidden port', CLIENT, `for="${CLIENT}:_x-1"`],
    ['may be IPv6', CLIENT_6, `for="[${CLIENT_6}]"`],
    ['may be IPv6 with a port', CLIENT_6, `for="[2001:DB8::1]:4711"`],
    ['may be IPv6 without quotes', CLIENT_6, `for=[${CLIENT_6}]:4711`],
    ['is IPv4 if it is mapped', CLIENT, `for="[::ffff:${CLIENT}]:4711"`],
    ['may be escaped', CLIENT, `for="20\\3.0.113.7"`],
    [
      'stands beside other parameters',
      CLIENT,
      `by=10.0.0.1; Proto=https;FOR=${CLIENT} ;host=b;secret="a\\",;b"`,
    ],
    ['is in any case', CLIENT, `FoR=${CLIENT}`],
    [
      'is found over several elements',
      CLIENT,
      `for=1.2.3.4, for=${CLIENT};proto=http,for=10.0.0.3,For="10.0.0.2:1"`,
    ],
    ['is found over several lines', CLIENT, 'for=1.2.3.4', `for=${CLIENT}`, 'for=10.0.0.2'],
    ['is found past empty parameters', CLIENT, `;;for=${CLIENT};; ;`],
    ['is not beyond more parameters than anybody needs', '10.0.0.2', `for=${CLIENT};${MANY}, for=10.0.0.2`],
    ['is not beyond unknown', '10.0.0.2', `for=${CLIENT}, for=unknown, for=10.0.0.2`],
    ['is not beyond what is hidden', '10.0.0.2', `for=${CLIENT}, for=_hidden, for=10.0.0.2`],
    ['is not beyond an element without for', '10.0.0.2', `for=${CLIENT}, by=10.0.0.3, for=10.0.0.2`],
    ['is not a hidden one', PROXY, 'for="_gazonk"'],
    ['is not what is named twice', PROXY, `for=${CLIENT};for=1.2.3.4`],
    ['is not beyond what is malformed', '10.0.0.2', `for=${CLIENT}, for, for=10.0.0.2`],
    [
      'is not hidden by a quote that a client has left open',
      CLIENT,
      `for="x`,
      `for=${CLIENT}`,
      'for="10.0.0.2"',
    ],
    ['is not hidden by an escape that a client has left open', CLIENT, `for="x\\, for=${CLIENT}`],
    ['is not hidden by a comma in quotes', CLIENT, `for=${CLIENT};x="a, for=1.2.3.4"`],
  ];
  for (const [what, client, ...values] of rows) {
    it(what, () => assert.equal(identify(lines('forwarded', values)).address, client));
  }
});

describe('the header that names the client', () => {
  it('is X-Real-IP if there is no other', () => {
    for (const text of [CLIENT, `${CLIENT}:1`, `::ffff:${CLIENT}`, `"${CLIENT}"`]) {
      assert.equal(identify(['x-real-ip', text]).address, CLIENT, text);
    }
    assert.equal(identify(['x-real-ip', 'localhost']).address, PROXY);
    assert.equal(identify(lines('x-real-ip', ['1.2.3.4', CLIENT])).address, PROXY);
  });

  it('is X-Forwarded-For alone if present, even if it has no address', () => {
    const others = ['forwarded', 'for=1.2.3.4;proto=https;host=b', 'x-real-ip', '5.6.7.8'];
    const client = identify(['x-forwarded-for', CLIENT, ...others]);
    assert.equal(client.address, CLIENT);
    assert.equal(client.proto, 'http');
    assert.equal(client.report?.host, null);
    assert.equal(identify(['x-forwarded-for', 'unknown', ...others]).address, PROXY);
    for (const empty of ['', ',', ' , ,']) {
      const nowhere = identify(['x-forwarded-for', empty, ...others]);
      assert.equal(nowhere.address, PROXY, empty);
      assert.deepEqual(nowhere.report?.chain, []);
      assert.equal(nowhere.report.forwardedAgrees, false);
    }
  });

  it('is Forwarded rather than X-Real-IP', () => {
    assert.equal(identify(['forwarded', `for=${CLIENT}`, 'x-real-ip', '5.6.7.8']).address, CLIENT);
    for (const nowhere of ['for=unknown', '', ',']) {
      assert.equal(identify(['forwarded', nowhere, 'x-real-ip', '5.6.7.8']).address, PROXY, nowhere);
    }
  });
});

describe("the client's scheme", () => {
  const proto = (...values: string[]): string => identify(lines('x-forwarded-proto', values)).proto;

  it('is what a trusted proxy reports, in upper or lower case', () => {
    for (const scheme of ['http', 'https', 'ws', 'wss'] as const) {
      assert.equal(proto(scheme), scheme);
      assert.equal(proto(scheme.toUpperCase()), scheme);
      assert.equal(identify(['x-forwarded-proto', scheme]).secure, scheme === 'https' || scheme === 'wss');
    }
    assert.equal(identify(['x-forwarded-proto', 'http'], PROXY, true).secure, false);
  });

  it("is the connection's if no trusted proxy reports a valid one", () => {
    for (const bad of ['', 'ftp', 'https://', 'https;', 'on', 'https http', 'javascript']) {
      assert.equal(proto(bad), 'http', bad);
      assert.equal(identify(['x-forwarded-proto', bad], PROXY, true).proto, 'https', bad);
    }
    assert.equal(identify(['x-forwarded-proto', 'https'], '192.0.2.1').secure, false);
    assert.equal(identify(['x-forwarded-proto', 'http'], '192.0.2.1', true).secure, true);
  });

  it("is the list member at the client's depth", () => {
    const listed = (chain: string, list: string): string =>
      identify(['x-forwarded-for', chain, 'x-forwarded-proto', list]).proto;
    assert.equal(listed(CLIENT, 'https, http'), 'http');
    assert.equal(listed(`${CLIENT}, 10.0.0.2`, 'https, http'), 'https');
    assert.equal(listed(`1.2.3.4, ${CLIENT}, 10.0.0.2`, 'ws, https, http'), 'https');
    assert.equal(listed(`${CLIENT}, 10.0.0.3, 10.0.0.2`, 'https, http'), 'https');
    assert.equal(proto('https', 'http'), 'http');
  });

  it('comes from the Forwarded element that names the client, and so does the host', () => {
    const client = identify([
      ...['forwarded', 'for=1.2.3.4;proto=http;host=forged'],
      ...['forwarded', `for=${CLIENT};proto=HTTPS;host="b.example:8443", for=10.0.0.2;proto=http;host=c`],
      ...['x-forwarded-proto', 'ws', 'x-forwarded-host', 'd'],
    ]);
    assert.equal(client.address, CLIENT);
    assert.equal(client.proto, 'https');
    assert.equal(client.report?.host, 'b.example:8443');
    const hidden = identify(['forwarded', 'for=_hidden;proto=https, for=10.0.0.2;proto=http']);
    assert.deepEqual([hidden.address, hidden.proto], ['10.0.0.2', 'https']);
  });

  it('is read from X-Forwarded-Proto if Forwarded has neither scheme nor host', () => {
    const client = identify(['forwarded', `for=${CLIENT}`, 'x-forwarded-proto', 'https']);
    assert.deepEqual([client.address, client.proto], [CLIENT, 'https']);
  });
});

describe('any forwarding headers', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'for=',
      'For="',
      '"',
      '\\',
      ',',
      ';',
      ':',
      '[',
      ']',
      '%',
      ' ',
      '\t',
      '=',
      'proto=https',
      '_',
    ),
    fc.constantFrom(
      CLIENT,
      CLIENT_6,
      '10.0.0.2',
      '::ffff:10.0.0.2',
      'unknown',
      '/',
      '//a',
      'é',
      '\u0000',
      '\r\n',
    ),
    fc.string({ maxLength: 4 }),
  );
  const value = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const name = fc.constantFrom(
    ...['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-proto', 'x-forwarded-host'],
    ...['x-forwarded-port', 'x-forwarded-prefix', 'x-request-id'],
  );
  const headers = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat());

  it('yield an IP address, and headers that split no line', () => {
    fc.assert(
      fc.property(headers, fc.constantFrom('x', 'rfc7239', 'both'), (made, style) => {
        // A head with a control character in a value is refused earlier.
        const fields = made.map((text, index) => (index % 2 === 1 && hasControlCharacter(text) ? '' : text));
        const client = identify(fields);
        assert.notEqual(isIP(client.address), 0);
        const connection = { peer: PROXY, port: 8080, secure: false, certificate: null, vpcEndpointId: null };
        const head = { method: 'GET', path: '/', query: '', headers: ['host', 'a', ...fields] };
        for (const text of forwardedHeaders(head, client, connection, '', style)) {
          assert.equal(hasControlCharacter(text), false, text);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('from a client never change what a trusted proxy appends to them', () => {
    fc.assert(
      fc.property(value, fc.boolean(), (forged, isNewLine) => {
        const name = 'forwarded';
        const own = `for="${CLIENT}:4711";proto=https`;
        const fields = isNewLine ? [name, forged, name, own] : [name, `${forged}, ${own}`];
        assert.equal(identify(fields).address, CLIENT);
        assert.equal(identify(['x-forwarded-for', `${forged}, ${CLIENT}`]).address, CLIENT);
      }),
      { numRuns: 1000 },
    );
  });
});
