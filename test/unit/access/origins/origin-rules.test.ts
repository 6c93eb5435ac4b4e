import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AccessRequest } from '../../../../src/access/contract/access-request.ts';
import { OriginRules } from '../../../../src/access/origins/origin-rules.ts';
import type { OriginPattern, OriginSettings } from '../../../../src/config/types/access.ts';
import type { ProxyReport } from '../../../../src/wire/forwarding/client-identity.ts';

const CLOSED: OriginSettings = { allowsSelf: false, allowsNull: false, patterns: [], isRequired: false };
const SELF: OriginSettings = { ...CLOSED, allowsSelf: true };
const TOLD: ProxyReport = {
  chain: [],
  depth: 0,
  proto: null,
  host: null,
  port: null,
  forwardedAgrees: false,
};

interface RequestParts {
  readonly origins?: readonly string[];
  readonly host?: string;
  readonly secure?: boolean;
  readonly told?: Partial<ProxyReport>;
  readonly wantsUpgrade?: boolean;
}

function request({
  origins = [],
  host = 'app.example.com',
  secure = true,
  told,
  ...more
}: RequestParts): AccessRequest {
  const headers = ['host', host, ...origins.flatMap((origin) => ['origin', origin])];
  return {
    head: { method: 'GET', path: '/', query: '', headers },
    client: {
      address: '192.0.2.1',
      requestId: 'id',
      proto: secure ? 'https' : 'http',
      secure,
      certificate: null,
      vpcEndpointId: null,
      trace: null,
      report: told === undefined ? null : { ...TOLD, ...told },
    },
    route: 'app',
    host: 'app.example.com',
    path: '/',
    wantsUpgrade: more.wantsUpgrade ?? true,
  };
}

/** Returns why a request is refused. Null if it is admitted. */
function judge(settings: OriginSettings, requested: RequestParts): string | null {
  const refusal = new OriginRules(settings).refusalOf(request(requested));
  if (refusal === null) return null;
  assert.deepEqual([refusal.status, refusal.reason], [403, 'origin']);
  return refusal.detail;
}

const patterns = (...list: readonly OriginPattern[]): OriginSettings => ({ ...CLOSED, patterns: list });
const NOT_ALLOWED = 'the origin is not allowed';

describe('the rules of origins', () => {
  it('ignore requests other than upgrades', () => {
    assert.equal(judge(SELF, { origins: ['https://evil.example'], wantsUpgrade: false }), null);
  });

  it('admit upgrades without an origin unless one is required', () => {
    assert.equal(judge(SELF, {}), null);
    assert.equal(judge({ ...SELF, isRequired: true }, {}), 'the request has no origin');
    assert.equal(judge({ ...SELF, isRequired: true }, { origins: ['https://app.example.com'] }), null);
  });

  it('refuse malformed and repeated origins', () => {
    for (const origin of ['', 'app.example.com', 'https://app.example.com/', 'https://app.example.com, x']) {
      assert.equal(judge(SELF, { origins: [origin] }), 'the origin is malformed', origin);
    }
    const twice = { origins: ['https://app.example.com', 'https://app.example.com'] };
    assert.equal(judge(SELF, twice), 'the request has more than one origin');
  });

  it('admit the origin null only by name', () => {
    assert.equal(judge(SELF, { origins: ['null'] }), NOT_ALLOWED);
    assert.equal(judge({ ...CLOSED, allowsNull: true }, { origins: ['null'] }), null);
    assert.equal(judge({ ...CLOSED, allowsNull: true }, { origins: ['https://null'] }), NOT_ALLOWED);
  });

  for (const [what, allowed, requested] of [
    ['the host of the request', true, { origins: ['https://app.example.com'] }],
    ['it in upper case', true, { origins: ['https://app.example.com'], host: 'APP.Example.COM' }],
    ['it with the default port', true, { origins: ['https://app.example.com'], host: 'app.example.com:443' }],
    ['it without TLS', true, { origins: ['http://app.example.com'], secure: false }],
    ['its port', true, { origins: ['https://app.example.com:8443'], host: 'app.example.com:8443' }],
    ['an IPv6 address', true, { origins: ['http://[::1]:8080'], host: '[::1]:8080', secure: false }],
    ['another host', false, { origins: ['https://evil.example'] }],
    ['a host that begins with it', false, { origins: ['https://app.example.com.evil.example'] }],
    ['a host that ends with it', false, { origins: ['https://evil-app.example.com'] }],
    ['a subdomain', false, { origins: ['https://x.app.example.com'] }],
    ['the parent domain', false, { origins: ['https://example.com'] }],
    ['another scheme', false, { origins: ['http://app.example.com'] }],
    ['another scheme with the same port', false, { origins: ['http://app.example.com:443'] }],
    ['another port', false, { origins: ['https://app.example.com:8443'] }],
    [
      'no port if the request has one',
      false,
      { origins: ['https://app.example.com'], host: 'app.example.com:8443' },
    ],
    ['an empty host', false, { origins: ['https://app.example.com'], host: '' }],
    [
      'the host from a trusted proxy',
      true,
      { origins: ['https://app.example.com'], host: 'inner:8080', told: { host: 'app.example.com' } },
    ],
    [
      'the inner host behind a proxy',
      false,
      { origins: ['https://inner'], host: 'inner', told: { host: 'app.example.com' } },
    ],
    ['the host if a proxy tells none', true, { origins: ['https://app.example.com'], told: {} }],
    [
      "the host, whatever the proxy's inner port",
      true,
      { origins: ['https://app.example.com'], told: { port: '8080' } },
    ],
  ] as const) {
    it(`treat ${what} ${allowed ? 'as self' : 'as another site'}`, () => {
      assert.equal(judge(SELF, requested), allowed ? null : NOT_ALLOWED);
    });
  }

  for (const [pattern, origin, allowed] of [
    [{ scheme: 'https', host: 'example.com', port: 443 }, 'https://example.com', true],
    [{ scheme: 'https', host: 'example.com', port: 443 }, 'https://example.com:8443', false],
    [{ scheme: 'https', host: 'example.com', port: 443 }, 'http://example.com', false],
    [{ scheme: 'https', host: 'example.com', port: 443 }, 'https://www.example.com', false],
    [{ scheme: 'https', host: 'example.com', port: null }, 'https://example.com:8443', true],
    [{ scheme: 'https', host: 'example.com', port: null }, 'https://example.com', true],
    [{ scheme: 'http', host: 'localhost', port: null }, 'http://localhost:5173', true],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://a.example.com', true],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://a.b.example.com', true],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://example.com', false],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://evil-example.com', false],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://a.example.com.evil.example', false],
    [{ scheme: 'https', host: '*.example.com', port: 443 }, 'https://a.example.com:444', false],
    [{ scheme: 'chrome-extension', host: 'abc', port: null }, 'chrome-extension://abc', true],
    [{ scheme: 'chrome-extension', host: 'abc', port: null }, 'chrome-extension://abd', false],
  ] as const) {
    const name = `${pattern.scheme}://${pattern.host}:${pattern.port ?? '*'}`;
    it(`${allowed ? 'admit' : 'refuse'} ${origin} by ${name}`, () => {
      assert.equal(judge(patterns(pattern), { origins: [origin] }), allowed ? null : NOT_ALLOWED);
    });
  }

  it('admit by any pattern, or as self', () => {
    const example = { scheme: 'https', host: 'example.com', port: 443 };
    const settings = { ...patterns({ ...example, host: 'other.example' }, example), allowsSelf: true };
    for (const origin of ['https://example.com', 'https://other.example', 'https://app.example.com']) {
      assert.equal(judge(settings, { origins: [origin] }), null);
    }
  });

  it('never admit an origin that a browser would assign to another site', () => {
    const settings = {
      ...patterns({ scheme: 'https', host: '*.example.com', port: null }),
      allowsSelf: true,
    };
    const part = fc.constantFrom(
      ...[
        'https://',
        'http://',
        'example.com',
        'app.',
        '.',
        'evil',
        '-',
        '@',
        '/',
        '\\',
        ':',
        '443',
        '?',
        '#',
      ],
      ...['[', ']', ' ', '\t', '*', ',', '%2e', '\0', '_', 'EXAMPLE.COM', '&', 'xn--'],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const origin = parts.join('');
        if (judge(settings, { origins: [origin] }) !== null) return;
        // A text that is not a URL comes from no page.
        if (!URL.canParse(origin)) return;
        const { protocol, hostname } = new URL(origin);
        assert.equal(protocol, 'https:');
        assert.match(hostname, /\.example\.com\.?$/);
      }),
      { numRuns: 20_000 },
    );
  });
});
