import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PEM_CHECKS, checkPair } from '../../../../src/cli/edge/key-pair.ts';
import { CertificateAuthority } from '../../../support/certificates.ts';

describe('the certificate of sluice to and init', () => {
  const authority = new CertificateAuthority();
  after(() => authority.remove());
  const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
  const other = authority.issue('other', ['DNS:other']);

  it('is a certificate and its key, also in one file', () => {
    checkPair({ cert, key });
    const both = join(key, '..', 'both.pem');
    writeFileSync(both, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    checkPair({ cert: both, key: both });
    PEM_CHECKS.certificate(cert);
    PEM_CHECKS.key(key, cert);
  });

  it('is refused with the name of the option', () => {
    for (const [pair, message] of [
      [{ cert: 'nope.pem', key }, /^--cert: "nope\.pem" cannot be read: file not found/],
      [{ cert, key: 'nope.key' }, /^--key: "nope\.key" cannot be read: file not found/],
      [{ cert: '/', key }, /^--cert: "\/" cannot be read: it is a directory/],
      [{ cert, key: other.key }, /^--key: ".*" is not the key of the certificate ".*/],
      [{ cert, key: cert }, /^--key: ".*" has a certificate and no private key: name the file of the key$/],
      [{ cert: key, key: cert }, /^--cert .* has the key, and --key .* the certificate: swap them$/],
    ] as const) {
      assert.throws(() => checkPair(pair), { name: 'StartError', message });
    }
  });
});
