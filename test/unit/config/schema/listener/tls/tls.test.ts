import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListenerTls } from '../../../../../../src/config/types/listener.ts';
import { errorsOf, inDirectory, l7, l7Of, load } from '../../../load.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY, REVOCATION_LIST } from '../../../pem.ts';

const FILES = {
  'good.pem': GOOD_CERT,
  'good.key': GOOD_KEY,
  'ca.pem': CA_CERT,
  'list.crl': REVOCATION_LIST,
  'lists.crl': `a note\n${REVOCATION_LIST}${REVOCATION_LIST}`,
  'broken.crl': `${REVOCATION_LIST}-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n`,
};

function text(engine: string, ...lines: readonly string[]): string {
  return l7(
    `engine: ${engine}`,
    'tls:',
    '  certificates: [{ cert: good.pem, key: good.key }]',
    ...lines.map((line) => `  ${line}`),
  );
}

function read(...lines: readonly string[]): ListenerTls {
  const { tls } = l7Of(load(text('raw', ...lines), { files: FILES }));
  assert.ok(tls !== null);
  return tls;
}

function errors(engine: string, ...lines: readonly string[]): string[] {
  return errorsOf(text(engine, ...lines), { files: FILES });
}

describe('the TLS of a listener', () => {
  it('has defaults', () => {
    const { minVersion, groups, alpn, handshakeTimeoutMs, clientCertificates, tickets } = read();
    assert.deepEqual(
      { minVersion, groups, alpn, handshakeTimeoutMs, clientCertificates, tickets },
      {
        minVersion: '1.2',
        groups: 'X25519MLKEM768:X25519:P-256',
        alpn: ['http/1.1'],
        handshakeTimeoutMs: 10_000,
        clientCertificates: null,
        tickets: { kind: 'rotate', rotateMs: 43_200_000 },
      },
    );
  });

  it('begins at a supported version of TLS', () => {
    assert.equal(read("minVersion: '1.3'").minVersion, '1.3');
    assert.deepEqual(errors('raw', "minVersion: '1.1'"), [
      '8:19: minVersion: "1.1" is not one of 1.2, 1.3: did you mean 1.2?',
    ]);
    assert.equal(read('minVersion: 1.3').minVersion, '1.3');
  });

  it('exchanges keys by groups that OpenSSL knows', () => {
    assert.equal(read('groups: x25519:P-384').groups, 'x25519:P-384');
    assert.equal(read('groups: [P-256, prime256v1, P-256]').groups, 'P-256:prime256v1');
    const remedy =
      "is not a group that this Node's OpenSSL has: write names such as X25519MLKEM768, X25519, P-256";
    assert.deepEqual(errors('raw', 'groups: [P-255, auto, DEFAULT, "?X25519", "X25519:P-256"]'), [
      `8:16: groups: "P-255" ${remedy}`,
      `8:23: groups: "auto" ${remedy}`,
      `8:29: groups: "DEFAULT" ${remedy}`,
      `8:38: groups: "?X25519" ${remedy}`,
      `8:49: groups: "X25519:P-256" ${remedy}`,
    ]);
  });

  it('lets clients choose supported protocols', () => {
    assert.deepEqual(read('alpn: [http/1.1, http/1.0, http/1.1]').alpn, ['http/1.1', 'http/1.0']);
    assert.deepEqual(read('alpn: []').alpn, []);
    assert.deepEqual(errors('raw', `alpn: [h2, "a b", ${'x'.repeat(256)}]`), [
      '8:14: alpn: "h2" is not supported, and clients that choose it would fail: write http/1.1',
      '8:18: alpn: "a b" is not a protocol: write 1 to 255 ASCII characters without spaces, such as http/1.1',
      `8:25: alpn: "${'x'.repeat(60)}..." is not a protocol: write 1 to 255 ASCII characters without spaces, such as http/1.1`,
    ]);
    assert.deepEqual(read('alpn: http/1.1').alpn, ['http/1.1']);
    assert.deepEqual(errors('raw', 'alpn: h2'), [
      '8:13: alpn: "h2" is not supported, and clients that choose it would fail: write http/1.1',
    ]);
  });

  it('bounds the time of a handshake', () => {
    assert.equal(read('handshakeTimeout: 100ms').handshakeTimeoutMs, 100);
    assert.deepEqual(errors('raw', 'handshakeTimeout: 0s'), [
      '8:25: handshakeTimeout: 0s is out of range: write 100ms to 10m',
    ]);
  });

  it('has fewer keys with the engine uws', () => {
    const lines = [
      "minVersion: '1.3'",
      'groups: [X25519]',
      'alpn: []',
      'handshakeTimeout: 1s',
      'tickets: { rotate: 1h }',
      'clientCertificates: { ca: ca.pem, crl: list.crl }',
    ];
    const why =
      'only the engines raw and net support this, and the listener uses uws because of "engine: uws": leave the key out';
    assert.deepEqual(errors('uws', ...lines), [
      `8:19: minVersion: ${why}`,
      `9:7: groups: ${why}`,
      `10:7: alpn: ${why}`,
      `11:25: handshakeTimeout: ${why}`,
      `12:7: tickets: ${why}`,
      `13:46: crl: ${why}`,
    ]);
    assert.deepEqual(
      errors(
        'uws',
        "minVersion: '1.2'",
        'clientCertificates: { ca: ca.pem, require: false, forward: false }',
      ),
      [],
    );
  });
});

describe('the certificates of clients', () => {
  it('are required and forwarded unless the file says otherwise', () => {
    const { digest, ...required } = read('clientCertificates: { ca: ca.pem }').clientCertificates!;
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(required, {
      ca: inDirectory('ca.pem'),
      caPem: CA_CERT,
      isRequired: true,
      crl: null,
      crlPem: null,
      forward: true,
    });
    const all = read('clientCertificates: { ca: ca.pem, require: false, crl: lists.crl, forward: false }');
    const { isRequired, forward, crl, crlPem } = all.clientCertificates!;
    assert.deepEqual(
      { isRequired, forward, crl, crlPem },
      { isRequired: false, forward: false, crl: inDirectory('lists.crl'), crlPem: FILES['lists.crl'] },
    );
    assert.notEqual(all.clientCertificates!.digest, digest);
  });

  it('are judged by files that are watched', () => {
    const { files } = load(text('raw', 'clientCertificates: { ca: ca.pem, crl: list.crl }'), {
      files: FILES,
    });
    for (const name of ['good.pem', 'good.key', 'ca.pem', 'list.crl'])
      assert.ok(files.includes(inDirectory(name)));
  });

  it('need readable authorities and revocation lists', () => {
    assert.deepEqual(errors('raw', 'clientCertificates: {}'), ['8:7: "clientCertificates" needs "ca"']);
    assert.deepEqual(errors('raw', 'clientCertificates: { ca: nope.pem, crl: good.pem }'), [
      '8:33: ca: "nope.pem" cannot be read: file not found (looked for nope.pem)',
      '8:48: crl: "good.pem" has no revocation list in PEM form (-----BEGIN X509 CRL-----)',
    ]);
    assert.match(
      errors('raw', 'clientCertificates: { ca: ca.pem, crl: broken.crl }')[0]!,
      /^8:46: crl: revocation list 2 of "broken.crl" cannot be parsed: /,
    );
  });
});
