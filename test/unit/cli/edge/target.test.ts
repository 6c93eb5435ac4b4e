import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseListen, parseTarget, parseTunnel } from '../../../../src/cli/edge/target.ts';
import { formatAddress } from '../../../../src/core/address.ts';

describe('a target', () => {
  for (const [text, address, tls] of [
    ['3000', 'localhost:3000', false],
    [':3000', 'localhost:3000', false],
    ['localhost:3000', 'localhost:3000', false],
    ['[::1]:3000', '[::1]:3000', false],
    ['http://app:3000', 'app:3000', false],
    ['http://app/', 'app:80', false],
    ['ws://[::1]:3000', '[::1]:3000', false],
    ['https://app', 'app:443', true],
    ['WSS://app:8443', 'app:8443', true],
    ['unix:/run/app.sock', 'unix:/run/app.sock', false],
  ] as const) {
    it(`may be ${text}`, () => {
      const target = parseTarget(text);
      assert.deepEqual([formatAddress(target.address), target.tls], [address, tls]);
    });
  }

  for (const [text, remedy] of [
    ['', /write a port/],
    ['app', /write a port/],
    ['70000', /write a port/],
    ['0', /above 0/],
    ['[::]:3000', /no server has this address/],
    ['http://app/chat', /leave the path out/],
    ['http://app?x', /leave the path out/],
    ['http://alice:secret@app', /leave the name and password out/],
    ['http://', /write the URL/],
    ['http://a_b!/', /write the URL|no host name/],
    [`unix:/${'x'.repeat(107)}`, /more than 107 bytes/],
  ] as const) {
    it(`is refused in one line: ${text.slice(0, 30)}`, () => {
      assert.throws(
        () => parseTarget(text),
        (error: Error) =>
          error.name === 'UsageError' && remedy.test(error.message) && !error.message.includes('\n'),
      );
    });
  }
});

describe('an address to listen on', () => {
  it('is a port of the loopback address, host:port, or :port for all interfaces', () => {
    const texts = ['8080', '127.0.0.2:0', ':8080', '[::1]:80'];
    const addresses = texts.map((text) => formatAddress(parseListen('--listen', text)));
    assert.deepEqual(addresses, ['127.0.0.1:8080', '127.0.0.2:0', '[::]:8080', '[::1]:80']);
  });

  it('is refused with an example', () => {
    const refusals: Readonly<Record<string, RegExp>> = {
      '::1': /^--listen ::1: write host:port, such as \[::1\]:8080$/,
      localhost:
        /^--listen localhost: write host:port, such as 127\.0\.0\.1:8080, or :8080 for all interfaces$/,
    };
    for (const [text, message] of Object.entries(refusals)) {
      assert.throws(() => parseListen('--listen', text), { name: 'UsageError', message });
    }
  });
});

describe('a tunnel', () => {
  it('has a local port or address, and a server', () => {
    const texts = ['5432:db:5432', ':5432:db:1', '0.0.0.0:5432:[fd00::1]:5432', '[::1]:1:10.0.0.1:2'];
    const tunnels = texts
      .map(parseTunnel)
      .map(({ listen, to }) => [formatAddress(listen), formatAddress(to)]);
    assert.deepEqual(tunnels, [
      ['127.0.0.1:5432', 'db:5432'],
      ['[::]:5432', 'db:1'],
      ['0.0.0.0:5432', '[fd00::1]:5432'],
      ['[::1]:1', '10.0.0.1:2'],
    ]);
  });

  it('is refused with an example', () => {
    for (const text of ['5432', '5432:db', 'db:5432', '5432:db:0', '99999:db:1', '1:db:99999', 'a:1:b:2:c']) {
      assert.throws(() => parseTunnel(text), {
        name: 'UsageError',
        message: `--tcp ${text}: write PORT:HOST:PORT, such as 5432:db:5432`,
      });
    }
  });
});
