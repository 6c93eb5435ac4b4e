import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Certificate } from '../../../../src/config/types/listener.ts';
import { ConfigError } from '../../../../src/core/errors.ts';
import { errorsOf, inDirectory, l7, l7Of, load, warningsOf } from '../load.ts';
import * as pem from '../pem.ts';

const FILES = {
  'good.pem': pem.GOOD_CERT,
  'chain.pem': `${pem.GOOD_CERT}${pem.CA_CERT}`,
  'good.key': pem.GOOD_KEY,
  'encrypted.key': pem.ENCRYPTED_KEY,
  'named.pem': pem.NAMED_CERT,
  'named.key': pem.NAMED_KEY,
  'phrase.pem': pem.PHRASE_CERT,
  'phrase.key': pem.PHRASE_KEY,
  'tricky.pem': pem.TRICKY_CERT,
  'tricky.key': pem.TRICKY_KEY,
  'expired.pem': pem.EXPIRED_CERT,
  'expired.key': pem.EXPIRED_KEY,
  'future.pem': pem.FUTURE_CERT,
  'future.key': pem.FUTURE_KEY,
  'broken.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  'text.txt': 'hello\n',
};

function text(cert: string, key: string): string {
  return l7(`tls: { certificates: [{ cert: ${cert}, key: ${key} }] }`);
}

function read(cert: string, key: string): readonly Certificate[] {
  return l7Of(load(text(cert, key), { files: FILES })).tls?.certificates ?? [];
}

function errors(cert: string, key: string): string[] {
  return errorsOf(text(cert, key), { files: FILES });
}

describe('certificate', () => {
  it('is for the DNS names of its subjectAltName, in lower case', () => {
    const found = read('good.pem', './good.key');
    assert.deepEqual(found, [
      {
        cert: inDirectory('good.pem'),
        key: inDirectory('good.key'),
        certPem: pem.GOOD_CERT,
        keyPem: pem.GOOD_KEY,
        serverNames: ['example.com', '*.example.com'],
        uri: null,
      },
    ]);
    assert.deepEqual(read('chain.pem', 'good.key')[0]?.serverNames, ['example.com', '*.example.com']);
  });

  it('is for its common name if it has no other names, and the common name is a host', () => {
    assert.deepEqual(read('named.pem', 'named.key')[0]?.serverNames, ['named.example']);
    assert.deepEqual(read('phrase.pem', 'phrase.key')[0]?.serverNames, []);
  });

  it('is not for a name inside another kind of name', () => {
    assert.deepEqual(read('tricky.pem', 'tricky.key')[0]?.serverNames, ['good.example']);
  });

  it('may be one of several', () => {
    const lines = [
      'tls:',
      '  certificates:',
      '    - { cert: good.pem, key: good.key }',
      '    - { cert: named.pem, key: named.key }',
    ];
    assert.equal(l7Of(load(l7(...lines), { files: FILES })).tls?.certificates.length, 2);
    assert.deepEqual(errorsOf(l7('tls: { certificates: [] }')), [
      '5:12: certificates: the list is empty: write at least one of certificates',
    ]);
    assert.deepEqual(errorsOf(l7('tls: {}')), [
      '5:5: the tls of a listener needs "cert" and "key", or "certificates" for several pairs',
    ]);
  });

  it('may be written without a list', () => {
    const { tls } = l7Of(load(l7('tls: { cert: good.pem, key: good.key }'), { files: FILES }));
    const listed = l7('tls: { certificates: [{ cert: good.pem, key: good.key }] }');
    assert.deepEqual(tls, l7Of(load(listed)).tls);
    assert.deepEqual(errorsOf(l7('tls: { cert: good.pem }')), ['5:5: the tls of a listener needs "key"']);
    assert.deepEqual(errorsOf(l7('tls: { cert: good.pem, key: named.key }')), [
      '5:33: key: "named.key" is not the key of the certificate "good.pem"',
    ]);
    const both = 'tls: { cert: good.pem, key: good.key, certificates: [{ cert: good.pem, key: good.key }] }';
    assert.deepEqual(errorsOf(l7(both)), [
      '5:5: "certificates" is a list of pairs cert and key: move this pair into the list',
    ]);
  });

  it('cannot be empty, which would disable TLS', () => {
    assert.deepEqual(errorsOf(l7('tls:')), [
      '5:5: tls: an empty value is not a mapping: the tls of a listener has certificates, cert, key, minVersion, ciphers, ' +
        'clientCertificates, groups, alpn, handshakeTimeout, tickets',
    ]);
  });

  it('is read quickly, whatever its file contains', { timeout: 60_000 }, () => {
    const beginning = '-----BEGIN CERTIFICATE-----\n';
    const files = {
      ...FILES,
      'begins.pem': beginning.repeat(100_000),
      'large.pem': 'x'.repeat(4 * 1024 * 1024 + 1),
    };
    const found = (cert: string): string => errorsOf(text(cert, 'good.key'), { files })[0] ?? '';
    assert.match(found('begins.pem'), /"begins\.pem" has no certificate in PEM form/);
    assert.match(found('large.pem'), /"large\.pem" is larger than 4MiB \(looked at /);
  });

  it('must be files that can be read', () => {
    assert.deepEqual(errors('nope.pem', 'nope.key'), [
      '5:35: cert: "nope.pem" cannot be read: file not found (looked for nope.pem)',
      '5:50: key: "nope.key" cannot be read: file not found (looked for nope.key)',
    ]);
    assert.match(errors('.', 'good.key')[0] ?? '', /cert: "\." cannot be read: it is a directory/);
    assert.match(errors('/dev/zero', 'good.key')[0] ?? '', /cert: "\/dev\/zero" is not a regular file/);
  });

  it('is named by its path in the errors about it', () => {
    try {
      load(text('nope.pem', 'good.key'), { files: FILES });
      assert.fail('was accepted');
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.files, ['sluice.yaml', 'nope.pem', 'good.key'].map(inDirectory));
    }
  });

  it('must be PEM that can be parsed', () => {
    assert.match(errors('text.txt', 'good.key')[0] ?? '', /cert: "text.txt" has no certificate in PEM form/);
    assert.match(
      errors('broken.pem', 'good.key')[0] ?? '',
      /cert: certificate 1 of "broken.pem" cannot be parsed/,
    );
    assert.match(errors('good.pem', 'text.txt')[0] ?? '', /key: "text.txt" is not a private key in PEM form/);
    assert.deepEqual(errors('good.key', 'good.pem'), [
      '5:35: cert: "good.key" has a private key and no certificate: name the file of the certificate',
      '5:50: key: "good.pem" has a certificate and no private key: name the file of the key',
    ]);
    assert.match(errors('good.pem', 'encrypted.key')[0] ?? '', /key: "encrypted.key" is encrypted/);
  });

  it('must belong to its key', () => {
    assert.deepEqual(errors('good.pem', 'named.key'), [
      '5:50: key: "named.key" is not the key of the certificate "good.pem"',
    ]);
  });

  it('causes a warning when it has expired or is not valid yet', () => {
    assert.deepEqual(warningsOf(text('expired.pem', 'expired.key'), { files: FILES }), [
      '5:35: the certificate "expired.pem" expired on 2020-03-01',
    ]);
    assert.deepEqual(warningsOf(text('future.pem', 'future.key'), { files: FILES }), [
      '5:35: the certificate "future.pem" is not valid before 2120-01-01',
    ]);
    assert.deepEqual(warningsOf(text('good.pem', 'good.key'), { files: FILES }), []);
  });

  it('never shows the text of a key', () => {
    const [error = ''] = errors('good.pem', 'broken.pem');
    assert.ok(!error.includes('MIIB'));
  });
});
