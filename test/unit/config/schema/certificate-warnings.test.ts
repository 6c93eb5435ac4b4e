import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7, warningsOf } from '../load.ts';
import * as pem from '../pem.ts';

/** Valid from 2019-01-01 to 2020-03-01. */
const { EXPIRED_CERT, EXPIRED_KEY } = pem;

function warnings(cert: string, key: string, ...more: readonly (readonly [string, string])[]): string[] {
  const pairs = [[cert, key] as const, ...more];
  const files = Object.fromEntries(
    pairs.flatMap(([cert, key], index) => [
      [`${index}.pem`, cert],
      [`${index}.key`, key],
    ]),
  );
  const entries = pairs.map((_, index) => `    - { cert: ${index}.pem, key: ${index}.key }`);
  return warningsOf(l7('tls:', '  certificates:', ...entries), { files });
}

describe('the expiry of a certificate', () => {
  it('causes a warning 30 days before', (t) => {
    const at = (time: string): string[] => {
      t.mock.timers.reset();
      t.mock.timers.enable({ apis: ['Date'], now: Date.parse(time) });
      return warnings(EXPIRED_CERT, EXPIRED_KEY);
    };
    const where = '7:19: the certificate "0.pem"';
    assert.deepEqual(at('2020-01-30T23:59:00Z'), []);
    assert.deepEqual(at('2020-01-31T00:01:00Z'), [`${where} expires on 2020-03-01, in 29 days: renew it`]);
    assert.deepEqual(at('2020-02-28T12:00:00Z'), [`${where} expires on 2020-03-01, in 1 day: renew it`]);
    assert.deepEqual(at('2020-02-29T12:00:00Z'), [`${where} expires on 2020-03-01, in 0 days: renew it`]);
    assert.deepEqual(at('2020-03-01T00:01:00Z'), [`${where} expired on 2020-03-01`]);
    assert.deepEqual(at('2018-12-31T00:00:00Z'), [`${where} is not valid before 2019-01-01`]);
  });

  it('causes a warning for authorities and the rest of a chain, once per file', () => {
    const files = { 'good.pem': pem.GOOD_CERT, 'good.key': pem.GOOD_KEY };
    const old = EXPIRED_CERT.repeat(3);
    const tls = (ca: string): string =>
      `tls: { certificates: [{ cert: good.pem, key: good.key }], clientCertificates: { ca: ${ca} } }`;
    assert.deepEqual(warningsOf(l7(tls('ca.pem')), { files: { ...files, 'ca.pem': pem.CA_CERT + old } }), [
      '5:89: certificate 2 of "ca.pem" expired on 2020-03-01; the same file has 2 more such certificates',
    ]);
    assert.deepEqual(warningsOf(l7(tls('ca.pem')), { files: { ...files, 'ca.pem': pem.CA_CERT } }), []);
  });
});

describe('the expiry of a revocation list', () => {
  it('causes a warning in the last third of its validity', (t) => {
    const files = {
      'good.pem': pem.GOOD_CERT,
      'good.key': pem.GOOD_KEY,
      'ca.pem': pem.CA_CERT,
      'clients.crl': pem.REVOCATION_LIST + pem.REVOCATION_LIST,
    };
    const at = (time: string): string[] => {
      t.mock.timers.reset();
      t.mock.timers.enable({ apis: ['Date'], now: Date.parse(time) });
      const text =
        'certificates: [{ cert: good.pem, key: good.key }], clientCertificates: { ca: ca.pem, crl: clients.crl }';
      return warningsOf(l7('engine: raw', `tls: { ${text} }`), { files }).filter((line) =>
        line.includes('crl'),
      );
    };
    const where = '6:102: revocation list 1 of "clients.crl"';
    const effect = 'clients with certificates of its authority are refused';
    assert.deepEqual(at('2090-01-01T00:00:00Z'), []);
    assert.deepEqual(at('2094-01-01T00:00:00Z'), [
      `${where} ends on 2126-11-05, and ${effect} then: renew it`,
    ]);
    assert.deepEqual(at('2126-12-01T00:00:00Z'), [
      `${where} ended on 2126-11-05: ${effect} until the file has a newer one`,
    ]);
  });
});

describe('a chain', () => {
  const { CHAIN_LEAF, CHAIN_MIDDLE, CHAIN_ROOT, CHAIN_KEY } = pem;

  it('has each certificate followed by its issuer, and may end anywhere', () => {
    for (const chain of [
      CHAIN_LEAF,
      CHAIN_LEAF + CHAIN_MIDDLE,
      `${CHAIN_LEAF}\n# by\n${CHAIN_MIDDLE}${CHAIN_ROOT}`,
    ]) {
      assert.deepEqual(warnings(chain, CHAIN_KEY), []);
    }
  });

  it('out of order is a warning', () => {
    assert.deepEqual(warnings(CHAIN_LEAF + CHAIN_ROOT + CHAIN_MIDDLE, CHAIN_KEY), [
      '7:19: the chain in "0.pem" is out of order: certificate 3 issued certificate 1, and must follow it',
    ]);
  });

  it('that lacks an issuer, or has a certificate of another chain, is a warning', () => {
    for (const chain of [CHAIN_LEAF + CHAIN_ROOT, CHAIN_LEAF + pem.CA_CERT + CHAIN_ROOT]) {
      assert.deepEqual(warnings(chain, CHAIN_KEY), [
        '7:19: certificate 2 of "0.pem" did not issue certificate 1, and neither did another one: ' +
          'some clients refuse this chain. Write the issuer in its place, or leave it out',
      ]);
    }
  });
});

describe('a certificate that no cipher of TLS 1.2 can use', () => {
  const files = {
    '0.pem': pem.GOOD_CERT,
    '0.key': pem.GOOD_KEY,
    '1.pem': pem.RSA_CERT,
    '1.key': pem.RSA_KEY,
  };
  const found = (ciphers: string, ...more: readonly string[]): string[] =>
    warningsOf(
      l7(
        'engine: raw',
        'tls:',
        '  certificates:',
        '    - { cert: 0.pem, key: 0.key }',
        '    - { cert: 1.pem, key: 1.key }',
        `  ciphers: ${ciphers}`,
        ...more,
      ),
      { files },
    );
  const remedy = (type: string, wanted: string): string =>
    `no cipher of TLS 1.2 can use its key (${type}), so clients of TLS 1.2 never get it: add ciphers with ${wanted}, or write minVersion: '1.3'`;

  it('is a warning', () => {
    assert.deepEqual(found('ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA'), [`8:11: ${remedy('ec', 'ECDSA')}`]);
    assert.deepEqual(found('ECDHE-ECDSA-AES128-GCM-SHA256'), [`9:11: ${remedy('rsa', 'RSA')}`]);
  });

  it('is not a warning if each has its ciphers, or TLS 1.2 is off', () => {
    assert.deepEqual(found('ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256'), []);
    assert.deepEqual(found('TLS_AES_128_GCM_SHA256'), []);
    assert.deepEqual(found('TLS_AES_128_GCM_SHA256', "  minVersion: '1.3'"), []);
  });
});

describe('certificates for one name', () => {
  const first = [pem.GOOD_CERT, pem.GOOD_KEY] as const;
  const rsa = [pem.RSA_CERT, pem.RSA_KEY] as const;
  const entry = (text: string): string => l7('engine: raw', ...text.split('\n'));

  it('are both served if their keys have different types', () => {
    const files = { '0.pem': first[0], '0.key': first[1], '1.pem': rsa[0], '1.key': rsa[1] };
    const both =
      'tls:\n  certificates:\n    - { cert: 0.pem, key: 0.key }\n    - { cert: 1.pem, key: 1.key }';
    assert.deepEqual(warningsOf(entry(both), { files }), []);
    assert.deepEqual(warningsOf(l7('engine: uws', ...both.split('\n')), { files }), [
      '9:11: for "example.com" an earlier certificate is served, because the engine uws (selected by ' +
        '"engine: uws") serves one per name: leave one of them out',
    ]);
  });

  it('of one type are a warning, because the first is served', () => {
    const files = { '0.pem': first[0], '0.key': first[1] };
    const both =
      'tls:\n  certificates:\n    - { cert: 0.pem, key: 0.key }\n    - { cert: 0.pem, key: 0.key }';
    assert.deepEqual(warningsOf(entry(both), { files }), [
      '9:11: for "example.com" an earlier certificate with a key of the same type (ec) is served: leave one of them out',
    ]);
  });
});
