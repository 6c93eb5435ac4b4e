import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HandshakeSecrets } from '../../../../src/wire/redaction/handshake-secrets.ts';
import { compileRedaction } from '../../../../src/wire/redaction/redaction.ts';
import { SecretNames } from '../../../../src/wire/redaction/secret-names.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
const secrets = new HandshakeSecrets(null, new SecretNames([]));

function target(text: string): string {
  return secrets.cut({ target: text, headers: [], subprotocol: '' }).target;
}

function header(name: string, value: string, subprotocol = ''): string {
  return secrets.cut({ target: '/', headers: [[name, value]], subprotocol }).headers[0]![1];
}

describe('the secrets of a handshake', () => {
  it('are cut out of the target', () => {
    for (const [before, after] of [
      ['/chat?room=1&access_token=abc&v=2', '/chat?room=1&access_token=[cut]&v=2'],
      ['/?X-Amz-Signature=ab&X-Amz-Date=1', '/?X-Amz-Signature=[cut]&X-Amz-Date=1'],
      ['/?key=1&keyboard=2&code=3&sid=4', '/?key=[cut]&keyboard=2&code=[cut]&sid=[cut]'],
      ['/?token=a,REST&x=1', '/?token=[cut]&x=1'],
      ['/?pass=a?REST;REST"REST', '/?pass=[cut]'],
      [
        '/?user[pwd]=a&my.key=b&key[]=c&PHPSESSID=d&SAMLResponse=e&pin=f',
        '/?user[pwd]=[cut]&my.key=[cut]&key[]=[cut]&PHPSESSID=[cut]&SAMLResponse=[cut]&pin=[cut]',
      ],
      [`/p/${JWT.replaceAll('.', '%2E')}`, '/p/[cut]'],
      ['/p/eyJhbGciOiJkaXIifQ..aXY.Y3Q.dGFn', '/p/[cut]'],
      ['/p/x%3Ftoken%3DREST/y', '/p/[cut]/y'],
      ['/?a=Bearer+REST', '/?a=[cut]'],
      [`/?header=${Buffer.from('{"x-api-key":"a"}').toString('base64')}`, '/?header=[cut]'],
      [`/?u=https://bob:${'p'.repeat(300)}@h/`, '/?u=[cut]'],
      ['/?%74oken=abc', '/?%74oken=[cut]'],
      ['/?auth[user]=a&token=', '/?auth[user]=[cut]&token='],
      ['/a;jsessionid=7/b', '/a;jsessionid=[cut]/b'],
      [`/t/${JWT}/x?y=${JWT}`, '/t/[cut]/x?y=[cut]'],
      ['http://bob:pw@example.com/', 'http://[cut]@example.com/'],
      ['/?next=https%3A%2F%2Fbob:pw%40x', '/?next=[cut]'],
      ['/?next=%2Fa%3Ftoken%3Dabc&b=c%20d', '/?next=[cut]&b=c%20d'],
      ['/?next=/a?token=abc', '/?next=[cut]'],
      ['/plain/path?x=y%zz', '/plain/path?x=y%zz'],
    ] as const) {
      assert.equal(target(before), after);
    }
  });

  it('are cut from the first parts of a target, and its other parts are cut whole', () => {
    for (const [start, separator] of [
      ['/x?', '&'],
      ['/', '/'],
      ['/x;', ';'],
    ] as const) {
      const text = start + Array.from({ length: 3000 }, (_, index) => `p${index}=1`).join(separator);
      const shown = target(text).split(separator);
      assert.equal(shown.at(-1), '[cut]');
      assert.ok(shown.length <= 258 && text.startsWith(shown.slice(0, -1).join(separator)), separator);
    }
  });

  it('are cut out of headers, by name and by form', () => {
    for (const name of [
      'Authorization',
      'Proxy-Authorization',
      'Cookie',
      'Set-Cookie',
      'X-Api-Key',
      'X_API_KEY',
      'X-Csrf-Token',
      'X-Session-Id',
      'X-Signature',
      'X-User-Password',
      'X-Sid',
      'X-Otp',
      'X-Code',
      'X-Ticket',
      'X-Pwd',
      'X-Key',
      'X-Sig',
      'X-Passcode',
      'X-Amz-Credential',
      'Client-Secret',
    ]) {
      assert.equal(header(name, 'abc'), '[cut]', name);
    }
    for (const [name, value, after] of [
      ['Origin', 'https://bob:pw@example.com', 'https://[cut]@example.com'],
      ['Referer', 'https://x/?token=abc&a=b', 'https://x/?token=[cut]&a=b'],
      ['X-Amzn-Oidc-Data', JWT, '[cut]'],
      ['X-Other', 'Bearer ab', '[cut]'],
      ['X-Other', 'a-long-opaque-text', '[cut]'],
      ['X-Other', 'some short words only', undefined],
      ['X-Other', 'a=1;token="R"', '[cut]'],
      ['X-Other', 'Bearer: REST', '[cut]'],
      ['X-Forwarded-Uri', '/a?token=REST', '/a?token=[cut]'],
      ['User-Agent', 'Digest username="x"', '[cut]'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', undefined],
      ['Sec-WebSocket-Version', '13', undefined],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits', undefined],
      ['Host', 'token.example.com', undefined],
      ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', undefined],
      ['Accept-Language', 'en-GB,en;q=0.9', undefined],
    ] as const) {
      assert.equal(header(name, value), after ?? value, name);
    }
  });

  it('are cut out of subprotocols, and names of protocols stay', () => {
    for (const [value, after, chosen] of [
      ['graphql-transport-ws, graphql-ws', undefined, 'graphql-ws'],
      ['ocpp2.0.1, v12.stomp, mqtt, base64.channel.k8s.io', undefined, ''],
      [`chat, ${JWT}`, 'chat, [cut]', 'chat'],
      ['bearer, opaque, chat', 'bearer, [cut], chat', 'chat'],
      ['bearer, chat', undefined, 'chat'],
      ['chat, a1b2c3d4e5f60718293a4b5c6d7e8f90', 'chat, [cut]', 'chat'],
      ['chat, 7QhaaFsLeJDoauh8-hm-uw', 'chat, [cut]', 'chat'],
      ['a1b2c3d4e5f60718293a4b5c6d7e8f90', '[cut]', 'a1b2c3d4e5f60718293a4b5c6d7e8f90'],
      ['base64url.bearer.authorization.k8s.io.c2VjcmV0LXRva2VuLTE', 'base64url.bearer.[cut]', ''],
      [`x${'.y'.repeat(200)}`, '[cut]', ''],
    ] as const) {
      assert.equal(header('Sec-WebSocket-Protocol', value, chosen), after ?? value);
    }
    assert.equal(secrets.cut({ target: '/', headers: [], subprotocol: JWT }).subprotocol, '[cut]');
  });

  it("include the sources of a route's credentials, and the matches of redaction rules", () => {
    const names = new SecretNames([{ kind: 'header', name: 'x-knock' }]);
    const all = new HandshakeSecrets(compileRedaction(['/bot[0-9]+/']), names);
    names.replace([
      { kind: 'header', name: 'x-ticket' },
      { kind: 'query', name: 'knock' },
      { kind: 'subprotocol', name: 'knock' },
    ]);
    assert.deepEqual(
      all.cut({
        target: '/bot123/?knock=a',
        headers: [
          ['X-Ticket', 'a'],
          ['X-Bot', 'bot7'],
          ['X-Knock', 'a'],
          ['Sec-WebSocket-Protocol', 'knock, abc'],
        ],
        subprotocol: 'knock',
      }),
      {
        target: '/[redacted]/?knock=[cut]',
        headers: [
          ['X-Ticket', '[cut]'],
          ['X-Bot', '[redacted]'],
          ['X-Knock', 'a'],
          ['Sec-WebSocket-Protocol', 'knock, [cut]'],
        ],
        subprotocol: 'knock',
      },
    );
  });

  it('never survive, whatever surrounds them', () => {
    const secret = 'S3CR3T';
    const around = fc.stringMatching(/^[\w%&?=;,./:@ -]{0,20}$/);
    fc.assert(
      fc.property(
        around,
        fc.constantFrom('token', 'sig', 'X-Auth-Key', '%73ig', 'my_password'),
        (before, name) => {
          for (const place of [
            `/${before}?${name}=${secret}`,
            `/?${before.replaceAll('=', '')}&${name}=${secret}&a=b`,
          ]) {
            assert.ok(!target(place).includes(secret), place);
            assert.ok(!header('Referer', `https://x${place}`).includes(secret), place);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are found in linear time', () => {
    for (const piece of [
      'eyJ',
      '%2f%2f',
      '%25',
      'a=',
      '//',
      'basic ',
      'token',
      '?',
      ' \t',
      ';a=%',
      'token-',
    ]) {
      const text = piece.repeat((64 * 1024) / piece.length);
      for (const name of ['Referer', 'Sec-WebSocket-Protocol'])
        assert.equal(typeof header(name, text), 'string');
      assert.equal(typeof target(text), 'string');
    }
  });
});
