import assert from 'node:assert/strict';
import { isIPv4 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { originOf, readOrigin } from '../../../../src/access/origins/origin.ts';

describe('readOrigin', () => {
  it('reads what browsers write', () => {
    for (const [text, scheme, host, port] of [
      ['https://example.com', 'https', 'example.com', 443],
      ['http://example.com', 'http', 'example.com', 80],
      ['https://example.com:8443', 'https', 'example.com', 8443],
      ['http://[2001:db8::1]:8080', 'http', '[2001:db8::1]', 8080],
      ['http://192.0.2.1', 'http', '192.0.2.1', 80],
      ['https://xn--bcher-kva.example', 'https', 'xn--bcher-kva.example', 443],
      [
        'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
        'chrome-extension',
        'aapbdbdomjkkjkaonfhkkikfgjllcleb',
        null,
      ],
      ['capacitor://localhost', 'capacitor', 'localhost', null],
    ] as const) {
      assert.deepEqual(readOrigin(text), { scheme, host, port }, text);
    }
  });

  it('treats spellings of one origin as equal', () => {
    const origin = readOrigin('https://example.com');
    for (const text of ['HTTPS://Example.COM', 'https://example.com:443', 'https://example.com.']) {
      assert.deepEqual(readOrigin(text), origin, text);
    }
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      'null',
      'example.com',
      '//example.com',
      'https:example.com',
      'https:/example.com',
      'https:///example.com',
      'https://',
      'https://example.com/',
      'https://example.com?',
      'https://example.com#',
      'https://user@example.com',
      'https://example.com@evil.example',
      'https://evil.example\\@example.com',
      'https://example.com\\.evil.example',
      'https://example.com:',
      'https://example.com:65536',
      'https://example.com:80:80',
      'https://.example.com',
      'https://a..example.com',
      'https://ex ample.com',
      'https://example.com https://evil.example',
      ' https://example.com',
      'https://example%2ecom',
      'https://[::1',
      'https://[::1%eth0]',
      'https://b\u00fccher.example',
      `${'a'.repeat(100_000)}://example.com`,
    ]) {
      assert.equal(readOrigin(text), null, text.slice(0, 60));
    }
  });

  it('reads every origin of a URL as browsers do', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ authoritySettings: { withPort: true, withIPv4: true, withIPv6: true } }),
        (text) => {
          const { origin, protocol, hostname, port } = new URL(text);
          const scheme = protocol.slice(0, -1);
          assert.deepEqual(readOrigin(origin), {
            scheme,
            host: hostname,
            port: port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
          });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never reads an origin differently from browsers', () => {
    const part = fc.constantFrom(
      ...[
        'https://',
        'http://',
        'example.com',
        'evil',
        '.',
        '-',
        '@',
        '/',
        '\\',
        ':',
        '443',
        '80',
        '?',
        '#',
        '%2e',
      ],
      ...['[', ']', '::1', ' ', '\t', '*', ',', ';', '&', '!', "'", '_', 'EXAMPLE', 'xn--', '~', '$', 'null'],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        const origin = readOrigin(text);
        const url = URL.canParse(text) ? new URL(text) : null;
        if (origin === null || url === null || !['http', 'https'].includes(origin.scheme)) return;
        // Browsers write the number 443 as 0.0.1.187, so that no page has the origin https://443.
        if (isIPv4(url.hostname) && origin.host !== url.hostname) return;
        const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
        assert.deepEqual(origin, {
          scheme: url.protocol.slice(0, -1),
          host: url.hostname.replace(/\.$/, ''),
          port,
        });
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('originOf', () => {
  it('adds the default port of the scheme', () => {
    assert.deepEqual(originOf('https', 'Example.com'), readOrigin('https://example.com:443'));
    assert.deepEqual(originOf('http', 'example.com:'), readOrigin('http://example.com'));
    assert.deepEqual(originOf('http', '[::1]:8080'), readOrigin('http://[::1]:8080'));
  });

  it('returns null for a malformed host', () => {
    for (const host of ['', 'a b', 'a/b', 'a@b']) assert.equal(originOf('https', host), null);
  });
});
