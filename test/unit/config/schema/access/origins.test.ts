import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { OriginSettings } from '../../../../../src/config/types/access.ts';
import { errorsOf, l7, l7Of, load } from '../../load.ts';

function read(...origins: readonly string[]): OriginSettings | null {
  return l7Of(load(l7(`access: { origins: ${JSON.stringify(origins)} }`))).access?.origins ?? null;
}

function error(origin: unknown): string {
  const [found = ''] = errorsOf(l7(`access: { origins: [${JSON.stringify(origin)}] }`));
  return found.replace('5:25: origins: ', '');
}

describe('origins', () => {
  it('are self, null, and patterns with usual ports', () => {
    assert.deepEqual(read('self'), { allowsSelf: true, allowsNull: false, patterns: [], isRequired: false });
    assert.deepEqual(read('null'), { allowsSelf: false, allowsNull: true, patterns: [], isRequired: false });
    const patterns = [
      ['https://a.example', 'https', 'a.example', 443],
      ['http://a.example', 'http', 'a.example', 80],
      ['https://a.example:8443', 'https', 'a.example', 8443],
      ['https://*.example.com:*', 'https', '*.example.com', null],
      ['http://127.0.0.1:80', 'http', '127.0.0.1', 80],
      ['http://[::1]:3000', 'http', '[::1]', 3000],
      ['capacitor://localhost', 'capacitor', 'localhost', null],
      ['chrome-extension://abcdefgh', 'chrome-extension', 'abcdefgh', null],
      ['https://xn--bcher-kva.example', 'https', 'xn--bcher-kva.example', 443],
    ] as const;
    assert.deepEqual(
      read(...patterns.map(([origin]) => origin))?.patterns,
      patterns.map(([, scheme, host, port]) => ({ scheme, host, port })),
    );
  });

  it('are refused with a remedy if browsers never send them', () => {
    assert.equal(error('*'), '"*" would admit pages of every site: leave origins out to allow that');
    assert.equal(
      error('https://a.example/chat'),
      '"https://a.example/chat" has a path, which an Origin never has: write "https://a.example"',
    );
    assert.match(error('https://a.example/'), /has a path.*write "https:\/\/a.example"/);
    assert.match(error('https://a.example?x'), /has a path/);
    assert.equal(error('a.example'), '"a.example" has no scheme: write "https://a.example"');
    assert.equal(
      error('https://A.example'),
      '"https://A.example" has capitals, which browsers never send in an Origin: write "https://a.example"',
    );
    assert.equal(
      error('wss://a.example'),
      'an Origin names the page, not the WebSocket: write "https://a.example"',
    );
    assert.match(error('ws://a.example'), /write "http:\/\/a.example"/);
    assert.equal(error('file:///x'), 'pages from files have the origin null: write "null", in quotes');
    assert.match(error('*://a.example'), /has a scheme that pages cannot have/);
    assert.match(error('https://u@a.example'), /has a user/);
    assert.match(error('https://a.*.example'), /has a star inside/);
    assert.match(error('https://*a.example'), /has a star inside/);
    assert.match(error('https://*'), /has a star inside/);
    assert.match(error('https://*.10.0.0.1'), /has a star before an address/);
    assert.match(error('https://bücher.example'), /write the host as browsers do, with "xn--"/);
    assert.equal(
      error('http://[0:0::1]'),
      '"http://[0:0::1]" has an address that browsers write differently: write "[::1]"',
    );
    assert.match(error('http://127.1'), /write "127.0.0.1"/);
    assert.match(error('https://a.example:0'), /has a port out of range/);
    assert.match(error('https://a.example:65536'), /has a port out of range/);
    assert.match(error('https://a.example:'), /has an invalid host/);
    assert.match(error('https://'), /has an invalid host/);
    assert.match(error('https://a b'), /has an invalid host/);
    assert.equal(
      error(null),
      'an empty value is not an origin: write "null", in quotes, for sandboxed pages and files',
    );
    assert.match(error(1), /put it in quotes/);
    assert.match(error(''), /is not an origin/);
  });

  it('are accepted only as a browser writes them', () => {
    const text = fc.oneof(
      fc.webUrl({ withFragments: false }).map((url) => new URL(url).origin),
      fc.webUrl(),
      fc
        .tuple(
          fc.constantFrom('http', 'https'),
          fc.oneof(
            fc.domain(),
            fc.ipV4Extended(),
            fc.ipV6().map((ip) => `[${ip}]`),
            fc.string(),
          ),
        )
        .map(([scheme, host]) => `${scheme}://${host}`),
    );
    fc.assert(
      fc.property(text, (origin) => {
        if (error(origin) !== '') return;
        const [pattern] = read(origin)!.patterns;
        if (pattern === undefined || pattern.host.startsWith('*')) return;
        assert.equal(
          new URL(origin).origin,
          new URL(`${pattern.scheme}://${pattern.host}:${pattern.port}`).origin,
        );
      }),
      { numRuns: 200 },
    );
  });

  it('may be required, which a route can change alone', () => {
    const text = l7(
      'access: { origins: [self], originRequired: true }',
      'routes:',
      '  - { match: { path: /a }, cluster: app, access: { originRequired: false } }',
      '  - { match: { path: /b }, cluster: app, access: { origins: ["null"] } }',
      "  - { match: { path: /c }, cluster: app, access: { origins: 'off' } }",
    );
    const { access, routes } = l7Of(load(text));
    assert.equal(access?.origins?.isRequired, true);
    assert.deepEqual(
      routes.map((route) => route.access?.origins?.isRequired),
      [false, true, undefined],
    );
    assert.equal(routes[2]?.access, null);
  });

  it('must be listed to be required', () => {
    assert.deepEqual(errorsOf(l7('access: { originRequired: true }')), [
      '5:31: originRequired: without origins every Origin passes, so clients could send any: list the origins, or leave ' +
        'originRequired out',
    ]);
    assert.match(errorsOf(l7('access: { origins: [] }'))[0] ?? '', /the list is empty/);
  });

  it('shows no password of a URL in an error', () => {
    for (const scheme of ['https', 'wss']) {
      const errors = errorsOf(l7(`access: { origins: '${scheme}://u:geheim@a.example/x' }`)).join();
      assert.match(errors, /write "https:\/\/a\.example"/);
      assert.ok(!errors.includes('geheim'), errors);
    }
  });
});
