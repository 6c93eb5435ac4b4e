import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificateCondition } from '../../../src/routing/certificate-condition.ts';
import { readPath } from '../../../src/routing/request-path.ts';
import { createRouteTable } from '../../../src/routing/route-table-builder.ts';
import type { CertificateName, ClientCertificate } from '../../../src/wire/tls/client-certificate.ts';
import { ANY } from './any-match.ts';

const NONE = { subject: null, san: null, fingerprint: null };

function clientWith(...names: CertificateName[]): ClientCertificate {
  return { subject: 'CN=alice', fingerprint: 'ab'.repeat(32), names };
}

function takes(san: string, ...names: CertificateName[]): boolean {
  return new CertificateCondition({ ...NONE, san }).matches(clientWith(...names));
}

describe('conditions on a certificate', () => {
  const alice: ClientCertificate = {
    subject: 'CN=alice,O=example',
    fingerprint: 'ab'.repeat(32),
    names: [{ kind: 'dns', value: 'alice.example' }],
  };

  for (const [conditions, holds] of [
    [{ subject: 'CN=alice,O=example' }, true],
    [{ subject: 'CN=alice' }, false],
    [{ fingerprint: 'ab'.repeat(32) }, true],
    [{ fingerprint: 'cd'.repeat(32) }, false],
    [{ san: 'alice.example' }, true],
    [{ san: 'example' }, false],
    [{ subject: 'CN=alice,O=example', san: 'alice.example', fingerprint: 'ab'.repeat(32) }, true],
    [{ subject: 'CN=alice,O=example', san: 'bob.example' }, false],
    [{ subject: 'CN=bob', san: 'alice.example' }, false],
  ] as const) {
    it(`${holds ? 'hold' : 'do not hold'} if they are ${JSON.stringify(conditions)}`, () => {
      const condition = new CertificateCondition({ ...NONE, ...conditions });
      assert.equal(condition.matches(alice), holds);
      assert.equal(condition.matches(null), false);
    });
  }
});

describe('a condition on a name', () => {
  it('ignores the case of DNS names and of the domains of addresses', () => {
    assert.equal(takes('Alice.Example', { kind: 'dns', value: 'alice.example' }), true);
    assert.equal(takes('Alice@A.Example', { kind: 'email', value: 'Alice@a.example' }), true);
    assert.equal(takes('alice@a.example', { kind: 'email', value: 'Alice@a.example' }), false);
    assert.equal(takes('spiffe://A/b', { kind: 'uri', value: 'spiffe://a/b' }), false);
  });

  it('compares addresses in one form', () => {
    assert.equal(takes('2001:DB8:0:0::1', { kind: 'ip', value: '2001:db8::1' }), true);
    assert.equal(takes('::ffff:192.0.2.1', { kind: 'ip', value: '192.0.2.1' }), true);
  });

  it('matches no name of another kind', () => {
    const text = 'alice@a.example';
    for (const kind of ['dns', 'uri', 'ip'] as const) assert.equal(takes(text, { kind, value: text }), false);
    assert.equal(takes('192.0.2.1', { kind: 'dns', value: '192.0.2.1' }), false);
  });

  it('matches a star literally', () => {
    assert.equal(takes('*.example', { kind: 'dns', value: 'a.example' }), false);
    assert.equal(takes('a.example', { kind: 'dns', value: '*.example' }), false);
    assert.equal(takes('*.example', { kind: 'dns', value: '*.example' }), true);
  });
});

describe('the readings of a path', () => {
  const clientCertificate = { ...NONE, subject: 'CN=alice' };
  const table = createRouteTable([
    { match: { ...ANY, pathPrefix: '/admin', clientCertificate }, value: 'admin' },
    { match: ANY, value: 'rest' },
  ]);

  function compare(raw: string, certificate: ClientCertificate | null): string {
    const settings = {
      ambiguous: 'refuse',
      mergeSlashes: false,
      escapedSlashes: 'keep',
      pathParameters: 'keep',
    } as const;
    const read = readPath(raw, settings);
    assert.ok(typeof read !== 'string' && read.spelling !== null);
    const request = {
      host: 'a.example',
      path: read.path,
      query: '',
      subprotocols: [],
      certificate,
      header: () => undefined,
    };
    return table.compareReadings(request, read.spelling, (other) => other === 'rest');
  }

  it('lead to a route with a certificate condition only with that certificate', () => {
    for (const path of ['//admin', '/x/..%2fadmin']) {
      assert.equal(compare(path, null), 'all hold');
      assert.equal(compare(path, { ...clientWith(), subject: 'CN=bob' }), 'all hold');
      assert.equal(compare(path, clientWith()), 'one does not');
    }
  });
});
